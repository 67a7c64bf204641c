"""Run a task: one endpoint for each, all of one shape; and the list of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from llmaas_client.wire import TASKS, TaskSpec
from llmaas_client.wire import events as wire
from llmaas_client.wire.errors import ErrorBody, ErrorCode
from llmaas_client.wire.models import TaskInfo, TaskList
from llmaas_client.wire.sse import encode
from llmaas_server.gateway.access import ANY_KEY, task
from llmaas_server.gateway.calls import Calls
from llmaas_server.gateway.choice import RULES, Defaults
from llmaas_server.gateway.metering import Running
from llmaas_server.seam.values import Call, Delta, Progress, Result

from . import calling
from .body import parse
from .endpoint import CALL_ERRORS, Endpoint, EventShape
from .exchange import OF_CALLS, Exchange
from .schemas import schema_of
from .streaming import send_events


class RunTask:
    """`POST /v1/tasks/{task}`."""

    def __init__(
        self, spec: TaskSpec[Any, Any], calls: Calls, *, max_body_bytes: int, ping_seconds: float
    ) -> None:
        self._spec = spec
        self._calls = calls
        self._max_body_bytes = max_body_bytes
        self._ping_seconds = ping_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        body = await exchange.body(self._max_body_bytes)
        asked = parse(self._spec.request, body)
        call = await calling.prepare(
            self._calls, exchange, self._spec.name, asked, ability=self._spec.ability
        )
        answering = Answering(exchange, call)
        make = answering.events if call.stream else answering.whole
        pieces = calling.answer(self._calls, exchange, call, body, make)
        await exchange.while_connected(
            send_events(self._calls, exchange, pieces, _failed, ping_seconds=self._ping_seconds)
            if call.stream
            else calling.send_whole(self._calls, exchange, pieces)
        )


@dataclass(frozen=True, slots=True)
class Answering:
    """Makes the answer to one request, as a whole or as events."""

    exchange: Exchange
    call: Call

    async def whole(self, running: Running) -> AsyncGenerator[bytes]:
        result = await running.result()
        yield await running.settle(result, partial(self.encode, running, result))

    async def events(self, running: Running) -> AsyncGenerator[bytes]:
        accepted = running.accepted
        start = wire.Start(
            id=self.call.id, model=accepted.model, prompt_tokens=accepted.prompt_tokens
        )
        yield encode("start", start.model_dump_json())
        async for event in running.events:
            match event:
                case Delta():
                    yield encode("delta", _json(_said(event)))
                case Progress():
                    yield encode("progress", _json(_fields(event)))
                case Result():
                    write = partial(self.encode, running, event)
                    yield await running.settle(event, write, _done)
                    return
        raise RuntimeError("a backend ended without a result")

    def encode(self, running: Running, result: Result, cost: str | None) -> bytes:
        """The task's own fields, and those of every result. Total time is what the server saw."""
        timing = msgspec.structs.replace(result.timing, total_ms=self.exchange.elapsed_ms)
        return msgspec.json.encode(
            {
                "id": self.call.id,
                "model": running.accepted.model,
                "model_choice": self.call.choice,
                "warnings": [],
                **result.body,
                "usage": result.usage,
                "timing": timing,
                "cost": cost,
            }
        )


def _failed(body: ErrorBody) -> bytes:
    return encode("error", body.model_dump_json())


def _done(result: bytes) -> bytes:
    return encode("done", result.decode())


def _said(delta: Delta) -> dict[str, Any]:
    """The text, which may be empty, and of the rest what there is."""
    said: dict[str, Any] = {"text": delta.text}
    if delta.choice:
        said["choice"] = delta.choice
    if delta.reasoning:
        said["reasoning"] = delta.reasoning
    if delta.tool_call is not None:
        said["tool_call"] = delta.tool_call
    if delta.logprobs is not None:
        said["logprobs"] = delta.logprobs
    return said


def _fields(event: Progress) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


class ListTasks:
    """`GET /v1/tasks`."""

    def __init__(self, defaults: Defaults) -> None:
        self._defaults = defaults

    async def answer(self, request: Request) -> Response:
        body = await asyncio.to_thread(lambda: self._body)
        return Response(body, media_type="application/json")

    @cached_property
    def _body(self) -> str:
        """Made when somebody asks: schemas take a moment."""
        tasks = [_describe(spec, self._defaults) for spec in TASKS.values()]
        return TaskList(tasks=tasks).model_dump_json()


def _describe(spec: TaskSpec[Any, Any], defaults: Defaults) -> TaskInfo:
    return TaskInfo(
        name=spec.name,
        path=spec.path,
        streams=spec.streams,
        default_model=defaults.model_for(spec.ability),
        model_rule=RULES[spec.ability],
        request_schema=schema_of(spec.request),
        result_schema=schema_of(spec.result),
    )


def events_of(spec: TaskSpec[Any, Any]) -> tuple[EventShape, ...]:
    """Of a streamed result: see `llmaas_client.wire.events`."""
    return (
        EventShape("start", wire.Start),
        EventShape("delta", wire.Delta),
        EventShape("progress", wire.Progress),
        EventShape("done", spec.result),
        EventShape("error", ErrorBody),
    )


_OF_ONE_TASK: dict[str, tuple[ErrorCode, ...]] = {
    "classify": (
        "too_few_labels",
        "too_many_labels",
        "duplicate_labels",
        "model_has_no_head",
        "not_found",
    )
}
"""Errors that only calls of that task have."""


def endpoints(
    calls: Calls, defaults: Defaults, *, max_body_bytes: int, ping_seconds: float
) -> list[Endpoint]:
    running = [
        Endpoint(
            "POST",
            spec.path,
            f"Run {spec.name}",
            RunTask(spec, calls, max_body_bytes=max_body_bytes, ping_seconds=ping_seconds),
            task(spec.name),
            answer=spec.result,
            body=spec.request,
            headers=OF_CALLS,
            events=events_of(spec) if spec.streams else (),
            errors=(*CALL_ERRORS, *_OF_ONE_TASK.get(spec.name, ())),
        )
        for spec in TASKS.values()
    ]
    listing = Endpoint(
        "GET", "/v1/tasks", "List the tasks", ListTasks(defaults).answer, ANY_KEY, TaskList
    )
    return [*running, listing]
