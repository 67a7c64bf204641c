"""The life of a call in the worker: one coroutine, from the prompt to the last word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from llmaas_client.wire.base import TaskRequest
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.recording import Recorder
from llmaas_server.runtime.spending import Spending, counted
from llmaas_server.seam.frames import Measured
from llmaas_server.seam.values import (
    Accepted,
    Call,
    Delta,
    Failure,
    Measurement,
    ModelRef,
    Progress,
    Result,
    Span,
    Times,
    Usage,
)
from llmaas_server.tasks.base import Caller, Prompt, Task
from llmaas_server.tasks.legibility import warnings_of

from .failures import failure_of_any
from .outbox import Outbox

MEASURED_SECONDS = 60.0
"""How long a measured call waits to be run; the front decides in milliseconds."""


class CallRuntime(Runtime, Protocol):
    """A runtime that keeps a model in memory for as long as a call needs it, and counts what the
    call takes."""

    @property
    def on_gpu(self) -> bool:
        """What `Spending.microseconds` are the time of."""

    async def settled(self) -> None:
        """Return when all that was stopped before is stopped, and counted. Raises Problem."""

    def using(self, ref: ModelRef) -> AbstractAsyncContextManager[Model]:
        """The model, loaded where it is not resident. Raises Problem as `load`."""


@dataclass(slots=True)
class Tab:
    """What a call has used so far, for one that does not come to its result."""

    spending: Spending
    accepted: Measurement | None = None

    def usage(self) -> Usage:
        if self.accepted is None:
            return Usage()
        generated = min(self.spending.generated, self.accepted.max_completion_tokens)
        return Usage(self.accepted.prompt_tokens, 0, generated)

    def spans(self) -> list[Span]:
        """What it did since the last time, where somebody wants to know."""
        recorder = self.spending.recorder
        return [] if recorder is None else recorder.take()

    def span(self, name: str, model: str) -> AbstractContextManager[None]:
        """Record a block of work with a model, where somebody wants to know."""
        recorder = self.spending.recorder
        if recorder is None:
            return nullcontext()
        return recorder.span(name, {"gen_ai.request.model": model})


class CallRunner:
    """Measures and runs calls on one runtime, and puts what there is to say into the outbox."""

    def __init__(
        self, runtime: CallRuntime, outbox: Outbox, threads: Executor, find: Callable[[str], Task]
    ) -> None:
        """`threads` are where texts are tokenized; `find` gives the task of a name."""
        self._runtime = runtime
        self._outbox = outbox
        self._threads = threads
        self._find = find
        self._starts: dict[int, asyncio.Event] = {}

    @property
    def parked(self) -> int:
        """How many calls are measured and wait to be run."""
        return sum(not start.is_set() for start in self._starts.values())

    def start(self, request_id: int) -> None:
        """Run a measured call; one whose time is over has been told so already."""
        if request_id in self._starts:
            self._starts[request_id].set()

    async def serve(self, request_id: int, call: Call) -> None:
        """Measure the call, wait for its start, run it. Cancelling this frees all it holds."""
        seconds = None if call.deadline_ms is None else call.deadline_ms / 1000
        limit = asyncio.timeout(seconds)
        with counted(Recorder() if call.traced else None) as spending:
            tab = Tab(spending)
            try:
                async with limit:
                    await self._measure_and_run(request_id, call, limit.when(), tab)
            except asyncio.CancelledError:
                if tab.accepted is not None:
                    await self._fail(request_id, Failure("cancelled", "the call was stopped"), tab)
                raise
            except Exception as error:
                problem = Problem("deadline_exceeded") if limit.expired() else error
                await self._fail(request_id, failure_of_any(problem, f"call {call.id}"), tab)

    async def _fail(self, request_id: int, failure: Failure, tab: Tab) -> None:
        """Say that the call failed, and what it has used."""
        if tab.accepted is not None:
            with suppress(Problem):  # of a runtime that has ended: nothing more is counted
                await self._runtime.settled()
            times = self._times(tab.spending)
            failure = msgspec.structs.replace(
                failure, usage=tab.usage(), times=times, spans=tab.spans()
            )
        self._outbox.put(request_id, failure)

    def _times(self, spending: Spending) -> Times:
        spent = spending.microseconds
        return Times(gpu_us=spent) if self._runtime.on_gpu else Times(cpu_us=spent)

    async def _measure_and_run(
        self, request_id: int, call: Call, deadline: float | None, tab: Tab
    ) -> None:
        """`deadline` is on the loop's clock, which is that of time.monotonic()."""
        task = self._find(call.task)
        request = task.spec.request.model_validate(_fields(call))
        async with self._models(call, tab) as (model, embedder):
            with tab.span("tokenize", call.model.name):
                prompt, warnings = await asyncio.get_running_loop().run_in_executor(
                    self._threads, _read, task, request, model, embedder
                )
            measurement = Measurement(
                prompt.prompt_tokens, prompt.max_completion_tokens, tab.spans()
            )
            self._outbox.put(request_id, Measured(measurement))
            await self._until_started(request_id)
            self._outbox.put(request_id, Accepted(prompt.prompt_tokens, model.ref.name))
            tab.accepted = measurement
            events = task.run(prompt, model, self._runtime, Caller(call.tenant, deadline, call.id))
            await self._pass_on(request_id, call, events, warnings, tab)

    @asynccontextmanager
    async def _models(self, call: Call, tab: Tab) -> AsyncIterator[tuple[Model, Model | None]]:
        """The models of a call, in memory while the context lasts."""
        async with AsyncExitStack() as stack:
            held = []
            for ref in (call.model, call.embedder):
                if ref is not None:
                    with tab.span("load", ref.name):
                        held.append(await stack.enter_async_context(self._runtime.using(ref)))
            yield held[0], held[1] if len(held) > 1 else None

    async def _pass_on(
        self,
        request_id: int,
        call: Call,
        events: AsyncGenerator[Delta | Progress | Result, None],
        warnings: list[dict[str, Any]],
        tab: Tab,
    ) -> None:
        """Say what a task yields, up to its result, which gets the warnings."""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Result):
                    result = msgspec.structs.replace(
                        event,
                        body=_warned(event.body, warnings),
                        times=self._times(tab.spending),
                        spans=tab.spans(),
                    )
                    self._outbox.put(request_id, result)
                    return
                if call.stream or not isinstance(event, Delta):
                    self._outbox.put(request_id, event)
        raise RuntimeError(f"the task {call.task} ended without a result")

    async def _until_started(self, request_id: int) -> None:
        start = self._starts[request_id] = asyncio.Event()
        try:
            await asyncio.wait_for(start.wait(), MEASURED_SECONDS)
        except TimeoutError:
            raise Problem("deadline_exceeded", "the call was measured and never run") from None
        finally:
            del self._starts[request_id]


def _read(
    task: Task, request: TaskRequest, model: Model, embedder: Model | None
) -> tuple[Prompt, list[dict[str, Any]]]:
    """The request as tokens, and what is to be said of its texts. Raises Problem."""
    prompt: Prompt = task.prompt(request, model, embedder)
    models = [model] if embedder is None else [model, embedder]
    return prompt, warnings_of(request, models)


def _warned(body: dict[str, Any], warnings: list[dict[str, Any]]) -> dict[str, Any]:
    """The body with these warnings before those that the task has put there."""
    return body | {"warnings": [*warnings, *body.get("warnings", ())]} if warnings else body


def _fields(call: Call) -> dict[str, Any]:
    """The request as the task reads it."""
    if call.attached is None:
        return call.request
    return {**call.request, call.attached.field: call.attached.content}
