"""An address of the server: what is routed, and what the description of the API is made from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from llmaas_client.wire.errors import ErrorCode

Handler = Callable[[Request], Awaitable[Response]] | ASGIApp

CALL_ERRORS: tuple[ErrorCode, ...] = (
    "invalid_json",
    "invalid_request",
    "body_too_large",
    "unsupported_media_type",
    "model_not_found",
    "model_not_pulled",
    "overloaded",
    "deadline_exceeded",
)
"""How the running of a model goes wrong; one code for each status."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path."""

    method: Literal["GET", "POST"]
    path: str
    summary: str
    handler: Handler
    answer: type[BaseModel] | None
    """The shape of the response; None is JSON without a shape of its own."""
    body: type[BaseModel] | None = None
    streams: bool = False
    errors: tuple[ErrorCode, ...] = ()
    """Beside those that every address has."""

    @property
    def route(self) -> Route:
        handler: Any = self.handler
        return Route(self.path, handler, methods=[self.method], name=self.name)

    @property
    def name(self) -> str:
        """`post_v1_tasks_chat`: the operation's id."""
        return f"{self.method.lower()}{self.path.replace('/', '_').replace('.', '_')}"
