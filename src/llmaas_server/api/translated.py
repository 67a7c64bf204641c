"""Run a task for a caller who speaks another format."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Protocol

from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from llmaas_client.wire.base import TaskRequest
from llmaas_server.gateway.access import task
from llmaas_server.gateway.calls import Calls
from llmaas_server.gateway.metering import Running
from llmaas_server.seam.values import Result

from . import calling
from .body import parse
from .endpoint import CALL_ERRORS, Endpoint
from .exchange import Exchange


class Format(Protocol):
    """Somebody else's request and response around one of our tasks.

    `Any` stands for the format's own body.
    """

    @property
    def path(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def body(self) -> type[BaseModel]: ...
    @property
    def answer(self) -> type[BaseModel]: ...
    @property
    def task(self) -> str: ...

    def read(self, body: Any) -> TaskRequest:
        """Their request as ours; may look at the model store. Raises Problem."""

    def write(self, result: Result) -> BaseModel:
        """Our result as theirs. Raises Problem."""


class RunTranslated:
    """`POST` to the path of a format."""

    def __init__(self, format: Format, calls: Calls, *, max_body_bytes: int) -> None:
        self._format = format
        self._calls = calls
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        content = await exchange.body(self._max_body_bytes)
        body = parse(self._format.body, content)
        request = await asyncio.to_thread(self._format.read, body)
        call = await calling.prepare(self._calls, exchange, self._format.task, request)
        pieces = calling.answer(self._calls, exchange, call, content, self._answer)
        await exchange.while_connected(calling.send_whole(self._calls, exchange, pieces))

    async def _answer(self, running: Running) -> AsyncGenerator[bytes]:
        result = await running.result()

        def write(cost: str | None) -> bytes:
            return self._format.write(result).model_dump_json().encode()

        yield await running.settle(result, write)


def endpoint(format: Format, calls: Calls, *, max_body_bytes: int) -> Endpoint:
    return Endpoint(
        "POST",
        format.path,
        format.summary,
        RunTranslated(format, calls, max_body_bytes=max_body_bytes),
        task(format.task),
        answer=format.answer,
        body=format.body,
        errors=CALL_ERRORS,
    )
