"""Run a task: one endpoint for each, all of one shape; and the list of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from llmaas_client.wire import TASKS, TaskSpec
from llmaas_client.wire.events import Start
from llmaas_client.wire.models import TaskInfo, TaskList
from llmaas_server.gateway.access import ANY_KEY, task
from llmaas_server.gateway.calls import Calls, result_of
from llmaas_server.gateway.choice import RULES, Defaults
from llmaas_server.seam.values import Accepted, Call, Delta, Event, Progress, Result

from .body import parse
from .endpoint import CALL_ERRORS, Endpoint
from .exchange import Exchange
from .problems import body_of
from .stream import EventStream


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
        request = parse(self._spec.request, await exchange.body(self._max_body_bytes))
        call = await self._calls.prepare(
            exchange.request_id,
            exchange.principal,
            self._spec.name,
            request,
            deadline_ms=exchange.deadline_ms,
        )
        answer = self._stream if call.stream else self._whole
        await exchange.while_connected(answer(exchange, call))

    async def _whole(self, exchange: Exchange, call: Call) -> None:
        async with (
            self._calls.holding(exchange.principal),
            self._calls.running(call) as (accepted, events),
        ):
            result = await result_of(events)
            await exchange.send_json(_encode_result(exchange, call, accepted, result))

    async def _stream(self, exchange: Exchange, call: Call) -> None:
        async with (
            self._calls.holding(exchange.principal) as lease,
            self._calls.running(call) as (accepted, events),
            EventStream(exchange, self._ping_seconds) as stream,
        ):
            start = Start(id=call.id, model=accepted.model, prompt_tokens=accepted.prompt_tokens)
            await stream.write("start", start.model_dump_json())
            try:
                with lease.telling():
                    await _pass_on(events, stream, exchange, call, accepted)
            except Exception as error:
                await stream.write("error", body_of(error, call.id).model_dump_json())


async def _pass_on(
    events: AsyncGenerator[Event],
    stream: EventStream,
    exchange: Exchange,
    call: Call,
    accepted: Accepted,
) -> None:
    async for event in events:
        match event:
            case Delta(logprobs=None):
                await stream.write("delta", _json({"text": event.text}))
            case Delta():
                await stream.write("delta", _json(_fields(event)))
            case Progress():
                await stream.write("progress", _json(_fields(event)))
            case Result():
                done = _encode_result(exchange, call, accepted, event)
                await stream.write("done", done.decode())
                return
    raise RuntimeError("a backend ended without a result")


def _encode_result(exchange: Exchange, call: Call, accepted: Accepted, result: Result) -> bytes:
    """The task's own fields, and those of every result. Total time is what the server saw."""
    timing = msgspec.structs.replace(result.timing, total_ms=exchange.elapsed_ms)
    return msgspec.json.encode(
        {
            "id": exchange.request_id,
            "model": accepted.model,
            "model_choice": call.choice,
            **result.body,
            "usage": result.usage,
            "timing": timing,
            "cost": None,
        }
    )


def _fields(event: Delta | Progress) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


class ListTasks:
    """`GET /v1/tasks`."""

    def __init__(self, defaults: Defaults) -> None:
        tasks = TaskList(tasks=[_describe(spec, defaults) for spec in TASKS.values()])
        self._body = tasks.model_dump_json()

    async def answer(self, request: Request) -> Response:
        return Response(self._body, media_type="application/json")


def _describe(spec: TaskSpec[Any, Any], defaults: Defaults) -> TaskInfo:
    return TaskInfo(
        name=spec.name,
        path=spec.path,
        streams=spec.streams,
        default_model=defaults.model_for(spec.name),
        model_rule=RULES[spec.name],
        request_schema=spec.request.model_json_schema(),
        result_schema=spec.result.model_json_schema(),
    )


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
            streams=spec.streams,
            errors=CALL_ERRORS,
        )
        for spec in TASKS.values()
    ]
    listing = Endpoint(
        "GET", "/v1/tasks", "List the tasks", ListTasks(defaults).answer, ANY_KEY, TaskList
    )
    return [*running, listing]
