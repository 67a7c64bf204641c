"""Addresses that manage: a body and names in, one JSON object out; the services do the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from llmaas_client.wire.errors import ErrorCode
from llmaas_server.errors import Problem
from llmaas_server.gateway.access import Access
from llmaas_server.gateway.principals import Actor

from .body import parse
from .door import actor_of, address_of
from .endpoint import BODY_ERRORS, Endpoint, Parameter
from .exchange import Exchange

B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Asked(Generic[B]):
    """What a request asks for."""

    scope: Scope
    body: B
    query: Mapping[str, str]

    @property
    def actor(self) -> Actor:
        """Who asks; not at public addresses."""
        return actor_of(self.scope)

    @property
    def address(self) -> str | None:
        return address_of(self.scope)

    @property
    def id(self) -> str:
        """The `{id}` of the path."""
        name: str = self.scope["path_params"]["id"]
        return name


Work = Callable[[Asked[Any]], Awaitable[BaseModel]]
"""`Any` stands for the body's own model, and None where there is none."""


class Managing:
    """The handler of one method of one path."""

    def __init__(
        self,
        work: Work,
        body: type[BaseModel] | None,
        query: tuple[Parameter, ...],
        max_body_bytes: int,
    ) -> None:
        self._work = work
        self._body = body
        self._query = query
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        query = query_of(scope, self._query)
        body = None
        if self._body is not None:
            body = parse(self._body, await exchange.body(self._max_body_bytes))
        answer = await self._work(Asked(scope, body, query))
        await exchange.send_json(answer.model_dump_json().encode())


@dataclass(frozen=True, slots=True)
class Desk:
    """Makes endpoints that manage."""

    max_body_bytes: int

    def endpoint(
        self,
        method: Literal["GET", "POST", "PATCH", "DELETE"],
        path: str,
        summary: str,
        work: Work,
        access: Access,
        answer: type[BaseModel],
        *,
        body: type[BaseModel] | None = None,
        query: tuple[Parameter, ...] = (),
        errors: tuple[ErrorCode, ...] = (),
    ) -> Endpoint:
        reading: tuple[ErrorCode, ...] = () if body is None else BODY_ERRORS
        if query and body is None:
            reading = ("unknown_field", "invalid_request")
        return Endpoint(
            method,
            path,
            summary,
            Managing(work, body, query, self.max_body_bytes),
            access,
            answer,
            body=body,
            query=query,
            errors=(*reading, *errors, "storage_unavailable"),
        )


def query_of(scope: Scope, known: tuple[Parameter, ...]) -> dict[str, str]:
    """What stands behind the `?`: each name once, and none that nobody reads."""
    given: dict[str, str] = {}
    names = {parameter.name for parameter in known}
    for name, value in QueryParams(scope["query_string"]).multi_items():
        if name not in names:
            raise Problem("unknown_field", f"there is no parameter {name!r}", param=name)
        if name in given:
            raise Problem("invalid_request", f"{name} is there twice", param=name)
        given[name] = value
    return given
