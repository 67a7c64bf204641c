"""The life of a call in the worker: one coroutine, from the prompt to the last word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Protocol

from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam.frames import Measured
from llmaas_server.seam.values import (
    Accepted,
    Call,
    Delta,
    Measurement,
    ModelRef,
    Progress,
    Result,
)
from llmaas_server.tasks.base import Caller, Prompt, Task

from .failures import failure_of_any
from .outbox import Outbox

MEASURED_SECONDS = 60.0
"""How long a measured call waits to be run; the front decides in milliseconds."""


class CallRuntime(Runtime, Protocol):
    """A runtime that keeps a model in memory for as long as a call needs it."""

    def using(self, ref: ModelRef) -> AbstractAsyncContextManager[Model]:
        """The model, loaded where it is not resident. Raises Problem as `load`."""


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
        try:
            async with limit:
                await self._measure_and_run(request_id, call, limit.when())
        except Exception as error:
            problem = Problem("deadline_exceeded") if limit.expired() else error
            self._outbox.put(request_id, failure_of_any(problem, f"call {call.id}"))

    async def _measure_and_run(self, request_id: int, call: Call, deadline: float | None) -> None:
        """`deadline` is on the loop's clock, which is that of time.monotonic()."""
        task = self._find(call.task)
        request = task.spec.request.model_validate(call.request)
        async with self._runtime.using(call.model) as model:
            loop = asyncio.get_running_loop()
            prompt: Prompt = await loop.run_in_executor(self._threads, task.prompt, request, model)
            measurement = Measurement(prompt.prompt_tokens, prompt.max_completion_tokens)
            self._outbox.put(request_id, Measured(measurement))
            await self._until_started(request_id)
            self._outbox.put(request_id, Accepted(prompt.prompt_tokens, model.ref.name))
            events = task.run(prompt, model, self._runtime, Caller(call.tenant, deadline))
            await self._pass_on(request_id, call, events)

    async def _pass_on(
        self, request_id: int, call: Call, events: AsyncGenerator[Delta | Progress | Result, None]
    ) -> None:
        """Say what a task yields, up to its result."""
        async with aclosing(events):
            async for event in events:
                if call.stream or not isinstance(event, Delta):
                    self._outbox.put(request_id, event)
                if isinstance(event, Result):
                    return
        raise RuntimeError(f"the task {call.task} ended without a result")

    async def _until_started(self, request_id: int) -> None:
        start = self._starts[request_id] = asyncio.Event()
        try:
            await asyncio.wait_for(start.wait(), MEASURED_SECONDS)
        except TimeoutError:
            raise Problem("deadline_exceeded", "the call was measured and never run") from None
        finally:
            del self._starts[request_id]
