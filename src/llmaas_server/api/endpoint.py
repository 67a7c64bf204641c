"""An address of the server: what is routed, and what the description of the API is made from."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from llmaas_client.wire.errors import ErrorCode
from llmaas_server.gateway.access import Access

from .context import Statuses

Handler = Callable[[Request], Awaitable[Response]] | ASGIApp

Check = Callable[[Scope, Access], None]
"""Whether the caller, whose key was found, has this access. Raises Problem `not_allowed`."""

BODY_ERRORS: tuple[ErrorCode, ...] = (
    "invalid_json",
    "invalid_request",
    "unknown_field",
    "invalid_text",
    "body_too_large",
    "unsupported_media_type",
)
"""How the reading of a body goes wrong."""

CALL_ERRORS: tuple[ErrorCode, ...] = (
    *BODY_ERRORS,
    "unsupported_parameter",
    "empty_text",
    "context_overflow",
    "model_cannot_do_task",
    "model_not_found",
    "model_not_pulled",
    "conflict",
    "budget_exceeded",
    "overloaded",
    "out_of_memory",
    "starting",
    "shutting_down",
    "worker_lost",
    "storage_unavailable",
    "deadline_exceeded",
    "model_broken",
)
"""How the running of a model goes wrong."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What may stand behind the `?`, or in a header."""

    name: str
    meaning: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    """JSON schema of its value; a list has commas between its items."""


@dataclass(frozen=True, slots=True)
class EventShape:
    """One kind of server-sent event of a stream."""

    name: str | None
    """Behind `event:`; None where the events of the stream have no names."""
    data: type[BaseModel] | str
    """What is behind `data:`: the shape of its JSON, or a text that is always the same."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    summary: str
    handler: Handler
    access: Access
    """Who may use it."""
    answer: type[BaseModel] | None
    """The shape of the response; None is JSON without a shape of its own."""
    body: type[BaseModel] | None = None
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    """Of the request, beside its key."""
    texts: tuple[str, ...] = ()
    """Media types of answers that are text: beside `answer`, or alone where that is None."""
    events: tuple[EventShape, ...] = ()
    """Of a stream, where a request can ask for one."""
    statuses: Statuses = field(default_factory=dict)
    """Of errors, where they are others than those of the table."""
    errors: tuple[ErrorCode, ...] = ()
    """Beside those that every address has."""
    others: Mapping[ErrorCode, type[BaseModel]] = field(default_factory=dict)
    """Answers with the status of an error, and a shape of their own."""

    def route(self, check: Check) -> Route:
        handler: Any = self.handler
        route = Route(self.path, handler, methods=[self.method], name=self.name)
        if not self.access.is_public:
            route.app = _Guarded(self.access, route.app, check)
        return route

    @property
    def name(self) -> str:
        """`post_v1_tasks_chat`: the operation's id."""
        return re.sub(r"\W+", "_", f"{self.method.lower()}{self.described_path}").rstrip("_")

    @property
    def described_path(self) -> str:
        """The path without the router's own words: `{id}` for `{id:path}`."""
        return re.sub(r"{(\w+):\w+}", r"{\1}", self.path)


def routes(endpoints: Iterable[Endpoint], check: Check) -> list[Route]:
    """One route for each path, so that a wrong method is told all the right ones.

    `check` is asked before each handler of what is not public.
    """
    by_path: dict[str, list[Route]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, []).append(endpoint.route(check))
    return [same[0] if len(same) == 1 else _by_method(same) for same in by_path.values()]


def _by_method(same: list[Route]) -> Route:
    choices = {method: route.app for route in same for method in sorted(route.methods or ())}
    return Route(same[0].path, _ByMethod(choices), methods=list(choices))


class _Guarded:
    """A handler behind its access."""

    def __init__(self, access: Access, app: ASGIApp, check: Check) -> None:
        self._access = access
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._check(scope, self._access)
        await self._app(scope, receive, send)


class _ByMethod:
    """What serves a path, chosen by the method, which the router has checked."""

    def __init__(self, choices: dict[str, ASGIApp]) -> None:
        self._choices = choices

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._choices[scope["method"]](scope, receive, send)
