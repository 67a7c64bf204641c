"""What a form of a page sends: small, once each, and from our own pages."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from llmaas_client.wire.validation import explain
from llmaas_server.api.cookies import check_csrf, check_same_origin
from llmaas_server.errors import Problem
from llmaas_server.gateway.sessions import Session

MOST_BYTES = 64 * 1024
MOST_FIELDS = 32

ModelT = TypeVar("ModelT", bound=BaseModel)


async def read_form(request: Request, session: Session | None = None) -> dict[str, str]:
    """The fields of a form; of one that is signed in with the token of the session.

    Raises Problem `not_allowed`, `body_too_large`, `invalid_request`.
    """
    check_same_origin(request.scope)
    too_large = Problem("body_too_large", f"the form is larger than {MOST_BYTES} bytes")
    body = await read_bytes(request, MOST_BYTES, too_large)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=bool(body),
            max_num_fields=MOST_FIELDS, errors="strict",
        )  # fmt: skip
    except ValueError:
        raise Problem("invalid_request", "that is no form of these pages") from None
    fields = dict(pairs)
    if session is not None:
        check_csrf(fields.pop("csrf", None), session.csrf)
    return fields


async def read_bytes(request: Request, most: int, too_large: Problem) -> bytes:
    """The body of a request; raises `too_large` as soon as it has more than `most` bytes."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise too_large
    return bytes(body)


def read_model(model: type[ModelT], fields: dict[str, str]) -> ModelT:
    """The fields as a request of the wire; empty ones were left out. Raises Problem."""
    given = {name: value for name, value in fields.items() if value}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        told = explain(error, "").error
        raise Problem(told.code, told.message, hint=told.hint, param=told.param) from None
