"""From the bytes of a body to a request of the wire."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from llmaas_client.wire.classify import ClassifyRequest
from llmaas_server.errors import Problem

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

ModelT = TypeVar("ModelT", bound=BaseModel)


def parse(model: type[ModelT], body: bytes) -> ModelT:
    """The request in `body`. Raises ValidationError, or Problem for what JSON alone lets through:
    lone surrogates, and a name that is there twice, of which parsers keep one in silence."""
    try:
        request = model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if "hex escape" in first["msg"] and _SURROGATE.search(body):
            place = first["msg"].rpartition(" at ")[2]
            raise Problem("invalid_text", f"half of a surrogate pair at {place}") from None
        raise
    try:
        json.loads(body, object_pairs_hook=_once)
    except _Twice as twice:
        message = f"the name {twice.name!r} is there twice in one object"
        if model is ClassifyRequest and twice.name not in model.model_fields:
            raise Problem("duplicate_labels", message, param="labels") from None
        raise Problem("invalid_json", message) from None
    return request


class _Twice(Exception):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


def _once(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _Twice(name)
        seen.add(name)
