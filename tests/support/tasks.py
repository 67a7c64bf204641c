"""Run a task as the worker does, and hold its result to the wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import msgspec

from llmaas_client.wire.base import Result as WireResult
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam.values import Delta, Progress, Result
from llmaas_server.tasks.base import Caller, Prompt, find


@dataclass
class Outcome:
    """Everything that a call brought."""

    prompt: Any
    """Of the task's own type."""
    result: Result
    wire: Any
    """The result as the client gets it."""
    deltas: list[Delta] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)

    @property
    def streamed(self) -> str:
        return "".join(delta.text for delta in self.deltas)


async def run_task(
    name: str,
    model: Model,
    runtime: Runtime,
    *,
    embedder: Model | None = None,
    tenant: str = "t",
    **request: Any,
) -> Outcome:
    """The outcome of one call; within the costs that its prompt stated."""
    prompt: Prompt = read_request(name, model, embedder=embedder, **request)
    deltas: list[Delta] = []
    progress: list[Progress] = []
    results: list[Result] = []
    events = find(name).run(prompt, model, runtime, Caller(tenant=tenant))
    async with aclosing(events):
        async for event in events:
            assert not results, "a result is the last event"
            if isinstance(event, Delta):
                deltas.append(event)
            elif isinstance(event, Progress):
                progress.append(event)
            else:
                results.append(event)
    (result,) = results
    assert result.usage.prompt_tokens <= prompt.prompt_tokens
    assert result.usage.completion_tokens <= prompt.max_completion_tokens
    assert result.timing.total_ms > 0
    return Outcome(prompt, result, as_wire(name, result), deltas, progress)


def read_request(name: str, model: Model, *, embedder: Model | None = None, **request: Any) -> Any:
    """The prompt of a call, from the request as the wire reads it."""
    task = find(name)
    return task.prompt(task.spec.request.model_validate(request), model, embedder)


def start_task(
    name: str, model: Model, runtime: Runtime, **request: Any
) -> AsyncGenerator[Delta | Progress | Result, None]:
    """The events of a call, for tests that leave early."""
    prompt = read_request(name, model, **request)
    return find(name).run(prompt, model, runtime, Caller(tenant="t"))


def as_wire(name: str, result: Result) -> WireResult:
    """What the front makes of a result: all fields of the body are known to the wire."""
    spec = find(name).spec
    assert set(result.body) <= set(spec.result.model_fields)
    data = {
        "id": "req_1",
        "model": "m",
        "usage": msgspec.to_builtins(result.usage),
        "timing": msgspec.to_builtins(result.timing),
        "cost": None,
        **msgspec.json.decode(msgspec.json.encode(result.body)),
    }
    wire: WireResult = spec.result.model_validate(data)
    return wire
