"""The default backend: a supervised child process computes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from llmaas_server.errors import Problem
from llmaas_server.seam.backend import Tally
from llmaas_server.seam.frames import Done, FrontFrame, Load, Measured, Run, Unload
from llmaas_server.seam.values import (
    Accepted,
    BackendStatus,
    Call,
    Event,
    Failure,
    Measurement,
    ModelRef,
    Result,
    Usage,
    WorkerOptions,
)

from .connection import Exchange
from .process import DEFAULT_RUNTIME, environment_of
from .supervisor import Supervisor


@dataclass(slots=True)
class _Open:
    """A call from the start of its measuring to its end."""

    deadline: float | None
    """On the loop's clock."""
    exchange: Exchange | None = None
    """Set while the worker knows the call."""
    measured: bool = False


class WorkerBackend:
    """See `seam.backend.Backend`.

    `environment` is all that the worker's environment has, but for what keeps it offline.
    A worker that sends no sign of life, or has work and makes no progress, for `hang_seconds` is
    killed and replaced: more than the longest step or the longest pause in reading a model.
    """

    def __init__(
        self,
        options: WorkerOptions,
        *,
        environment: Mapping[str, str],
        hang_seconds: float = 60.0,
        runtime: str = DEFAULT_RUNTIME,
    ) -> None:
        self._supervisor = Supervisor(
            options,
            environment=environment_of(options, environment),
            runtime=runtime,
            hang_seconds=hang_seconds,
        )
        self._calls: dict[str, _Open] = {}
        self._idle = asyncio.Event()
        self._stopping = False

    async def start(self) -> None:
        self._supervisor.start()

    async def ready(self) -> None:
        await self._supervisor.connection(None)

    async def stop(self, grace: float) -> None:
        self._stopping = True
        if self._calls:
            self._idle.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), grace)
        await self._supervisor.stop()

    async def measure(self, call: Call) -> Measurement:
        if self._stopping:
            raise Problem("shutting_down")
        if call.id in self._calls:
            raise Problem("conflict", f"the call {call.id!r} is known already")
        opened = self._calls[call.id] = _Open(_deadline_of(call))
        try:
            return await self._measure(call, opened)
        except BaseException:
            self._close(call.id)
            raise

    async def _measure(self, call: Call, opened: _Open) -> Measurement:
        connection = await self._supervisor.connection(opened.deadline)
        exchange = opened.exchange = connection.begin()
        exchange.measure(_with_time_left(call, opened.deadline))
        answer = await exchange.receive(opened.deadline)
        if not isinstance(answer, Measured):
            raise Problem("internal_error", "the worker did not answer with a measurement")
        opened.measured = True
        return answer.measurement

    async def run(self, call_id: str, tally: Tally | None = None) -> AsyncGenerator[Event, None]:
        opened = self._calls.get(call_id)
        if opened is None or opened.exchange is None or not opened.measured:
            raise Problem("internal_error", f"the call {call_id!r} was not measured")
        opened.measured = False  # A call runs once.
        exchange = opened.exchange
        tally = tally or Tally()
        try:
            exchange.send(Run(exchange.id))
            while True:
                event = await exchange.receive(opened.deadline)
                if isinstance(event, Measured | Done):
                    raise Problem("internal_error", "the worker's answers are out of order")
                if isinstance(event, Accepted):
                    tally.usage = Usage(event.prompt_tokens)
                yield event
                if isinstance(event, Result):
                    return
        finally:
            try:
                last = await exchange.stop()
                if isinstance(last, Result | Failure):
                    tally.usage, tally.times = last.usage, last.times
                    tally.spans = last.spans
            finally:
                self._close(call_id)

    async def release(self, call_id: str) -> None:
        opened = self._calls.get(call_id)
        if opened and opened.measured:
            self._close(call_id)

    async def load(self, model: ModelRef) -> None:
        await self._ask(lambda id: Load(id, model))

    async def unload(self, name: str) -> None:
        await self._ask(lambda id: Unload(id, name))

    async def _ask(self, frame: Callable[[int], FrontFrame]) -> None:
        connection = await self._supervisor.connection(None)
        exchange = connection.begin()
        try:
            exchange.send(frame(exchange.id))
            await exchange.receive()
        finally:
            exchange.close()

    @property
    def pid(self) -> int | None:
        """The worker's process, while there is one."""
        return self._supervisor.pid

    def status(self) -> BackendStatus:
        return BackendStatus(
            ready=self._supervisor.ready and not self._stopping,
            models=self._supervisor.models,
            running=len(self._calls),
            restarts=self._supervisor.restarts,
            detail=self._supervisor.detail,
            memory_bytes=self._supervisor.memory_bytes,
            work=self._supervisor.work,
        )

    def _close(self, call_id: str) -> None:
        opened = self._calls.pop(call_id, None)
        if opened and opened.exchange:
            opened.exchange.close()
        if not self._calls:
            self._idle.set()


def _deadline_of(call: Call) -> float | None:
    if call.deadline_ms is None:
        return None
    return asyncio.get_running_loop().time() + call.deadline_ms / 1000


def _with_time_left(call: Call, deadline: float | None) -> Call:
    """The call as the worker is to see it: waiting for the worker has taken of its time."""
    if deadline is None:
        return call
    left = max(deadline - asyncio.get_running_loop().time(), 0.0)
    return msgspec.structs.replace(call, deadline_ms=left * 1000)
