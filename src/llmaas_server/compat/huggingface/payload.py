"""What all their requests have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import ConfigDict, Field, ValidationError, model_validator

from llmaas_client.wire.base import Request, TaskRequest
from llmaas_client.wire.validation import explain
from llmaas_server.api.context import Statuses
from llmaas_server.api.problems import NATIVE
from llmaas_server.api.schemas import only
from llmaas_server.compat.openai.fields import refused
from llmaas_server.errors import Problem

RequestT = TypeVar("RequestT", bound=TaskRequest)


def _with_what_changes_nothing(schema: dict[str, Any], model: type[Any]) -> None:
    """Names in a schema what is taken beside the fields."""
    for name, (value, why) in model.ONLY.items():
        told = {"description": f"Nothing else: {why}.", **only(value)}
        schema["properties"].setdefault(name, told)


class Payload(Request):
    """Null is the same as absent, as it is there.

    `REFUSED`: what would change the answer and cannot, and why; `ONLY`: what is taken with the one
    value that changes nothing, and why no other.
    """

    model_config = ConfigDict(json_schema_extra=_with_what_changes_nothing)

    REFUSED: ClassVar[Mapping[str, str]] = {}
    ONLY: ClassVar[Mapping[str, tuple[Any, str]]] = {}

    @model_validator(mode="before")
    @classmethod
    def _what_there_is(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        kept: dict[str, Any] = {}
        for name, value in given.items():
            if value is None:
                continue
            if name in cls.REFUSED:
                raise refused(name, cls.REFUSED[name])
            if name not in cls.ONLY:
                kept[name] = value
                continue
            right, why = cls.ONLY[name]
            if value != right:
                raise refused(name, f"{json.dumps(right)} is all that it can be: {why}")
        return kept


class Options(Payload):
    """How their own service treats a request: without effect here."""

    wait_for_model: bool | None = Field(default=None, description="Models are waited for.")
    use_cache: bool | None = Field(default=None, description="Each answer is computed.")
    use_gpu: bool | None = Field(default=None, description="The server's settings say where.")


class Asking(Payload):
    """Their clients name models in the address: `?model=` says the same as this field."""

    model: str | None = Field(
        default=None, min_length=1, max_length=512, description="The address may name it, too."
    )
    options: Options = Options()


class HuggingFaceFormat:
    """What all formats of this wire have in common."""

    asks: ClassVar[bool] = True
    statuses: ClassVar[Statuses] = NATIVE


def ask(kind: type[RequestT], fields: Mapping[str, Any], theirs: Mapping[str, str]) -> RequestT:
    """Our request, of the fields that are not None. `theirs` are their names for ours.

    Raises Problem for what ours does not allow, under their name for it.
    """
    try:
        return kind.model_validate({one: it for one, it in fields.items() if it is not None})
    except ValidationError as error:
        wrong = explain(error).error
        ours, _, place = (wrong.param or "").partition(".")
        param = theirs.get(ours, ours) + (f".{place}" if place else "")
        message = wrong.message.removeprefix(f"{wrong.param}: ")
        raise Problem(wrong.code, f"{param}: {message}", hint=wrong.hint, param=param) from None
