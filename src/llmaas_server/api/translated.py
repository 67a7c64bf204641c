"""Run a task for a caller who speaks another format."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.errors import ErrorBody
from llmaas_server.errors import Problem
from llmaas_server.gateway.access import task
from llmaas_server.gateway.calls import Calls
from llmaas_server.gateway.metering import Running
from llmaas_server.seam.values import Delta, Result

from . import calling
from .body import parse
from .context import Statuses, set_statuses
from .endpoint import CALL_ERRORS, Endpoint, EventShape, Parameter
from .exchange import OF_CALLS, Exchange
from .streaming import send_events

MODEL = Parameter("model", "The name of a model, as the field of the body.")


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to say of a call beside its result."""

    id: str
    """Of the request."""
    model: str
    """Who computes."""
    created: int
    """Seconds since 1970, UTC."""


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
    def task(self) -> str:
        """What keys must be for, and what the model must be able to do."""

    @property
    def job(self) -> str:
        """What is run: the task, or something beside it."""

    @property
    def asks(self) -> bool:
        """Whether the model is named behind the `?`."""

    @property
    def statuses(self) -> Statuses:
        """Of their errors, where they are others than ours."""

    def read(self, body: Any) -> TaskRequest:
        """Their request as ours; may look at the model store. Raises Problem."""

    def write(self, body: Any, told: Told, result: Result) -> BaseModel:
        """Our result as theirs. Raises Problem."""


class Script(Protocol):
    """A stream of theirs, made of ours: each method gives bytes that are whole events."""

    def start(self) -> bytes: ...

    def delta(self, delta: Delta) -> bytes:
        """Empty where they have nothing for it."""

    def end(self, result: Result) -> bytes: ...


class StreamedFormat(Format, Protocol):
    """A format that has streams as well; their `read` then asks for one of ours."""

    @property
    def events(self) -> tuple[EventShape, ...]:
        """Of its streams."""

    def script(self, body: Any, told: Told) -> Script: ...

    def error(self, body: ErrorBody) -> bytes:
        """What a stream says that fails."""


class RunTranslated:
    """`POST` to the path of a format."""

    def __init__(
        self,
        format: Format | StreamedFormat,
        calls: Calls,
        *,
        max_body_bytes: int,
        ping_seconds: float,
    ) -> None:
        self._format = format
        self._calls = calls
        self._max_body_bytes = max_body_bytes
        self._ping_seconds = ping_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        set_statuses(scope, self._format.statuses)
        exchange = Exchange(scope, receive, send)
        content = await exchange.body(self._max_body_bytes)
        body = parse(self._format.body, content)
        if self._format.asks and (named := exchange.query.get(MODEL.name)):
            body = _naming(body, named)
        request = await asyncio.to_thread(self._format.read, body)
        call = await calling.prepare(
            self._calls, exchange, self._format.job, request, ability=self._format.task
        )

        if call.stream:
            format: StreamedFormat = self._format  # type: ignore[assignment]  # it asked for one
            pieces = calling.answer(self._calls, exchange, call, content, _events(format, body))
            sending = send_events(
                self._calls, exchange, pieces, format.error, ping_seconds=self._ping_seconds
            )
        else:
            pieces = calling.answer(
                self._calls, exchange, call, content, _whole(self._format, body)
            )
            sending = calling.send_whole(self._calls, exchange, pieces)
        await exchange.while_connected(sending)


def _naming(body: BaseModel, model: str) -> BaseModel:
    """The body with the model that the address names. Raises Problem where it has another one."""
    if MODEL.name in body.model_fields_set and getattr(body, MODEL.name) != model:
        raise Problem(
            "invalid_request",
            f"the address names the model {model!r}, and the body another one",
            hint="Name it once.",
            param=MODEL.name,
        )
    return body.model_copy(update={MODEL.name: model})


def _whole(format: Format, body: Any) -> calling.Make:
    async def make(running: Running) -> AsyncGenerator[bytes]:
        told = _told(running)
        result = await running.result()
        yield await running.settle(result, partial(_written, format, body, told, result))

    return make


def _events(format: StreamedFormat, body: Any) -> calling.Make:
    async def make(running: Running) -> AsyncGenerator[bytes]:
        told = _told(running)
        script = format.script(body, told)
        yield script.start()
        async for event in running.events:
            if isinstance(event, Delta):
                if piece := script.delta(event):
                    yield piece
            elif isinstance(event, Result):
                whole = partial(_written, format, body, told, event)
                yield await running.settle(event, whole, partial(_last, script.end(event)))
                return
        raise RuntimeError("a backend ended without a result")

    return make


def _written(format: Format, body: Any, told: Told, result: Result, cost: str | None) -> bytes:
    return format.write(body, told, result).model_dump_json().encode()


def _last(piece: bytes, answer: bytes) -> bytes:
    return piece


def _told(running: Running) -> Told:
    return Told(running.call.id, running.accepted.model, int(time.time()))


def endpoint(
    format: Format | StreamedFormat, calls: Calls, *, max_body_bytes: int, ping_seconds: float
) -> Endpoint:
    handler = RunTranslated(format, calls, max_body_bytes=max_body_bytes, ping_seconds=ping_seconds)
    return Endpoint(
        "POST",
        format.path,
        format.summary,
        handler,
        task(format.task),
        answer=format.answer,
        body=format.body,
        query=(MODEL,) if format.asks else (),
        headers=OF_CALLS,
        events=getattr(format, "events", ()),  # those of a StreamedFormat
        errors=CALL_ERRORS,
        statuses=format.statuses,
    )
