"""A backend whose calls are counted."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from llmaas_server.errors import Problem
from llmaas_server.seam.backend import Backend, Tally
from llmaas_server.seam.values import (
    BackendStatus,
    Call,
    Delta,
    Event,
    Measurement,
    ModelRef,
    Result,
)

from .metrics import Metrics


class Observed:
    """Another backend, and what it does for calls in `metrics`."""

    def __init__(
        self, inner: Backend, metrics: Metrics, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """`clock` has seconds."""
        self._inner = inner
        self._metrics = metrics
        self._clock = clock
        self._measured: dict[str, tuple[Call, float]] = {}

    async def start(self) -> None:
        await self._inner.start()

    async def ready(self) -> None:
        await self._inner.ready()

    async def stop(self, grace: float) -> None:
        await self._inner.stop(grace)

    async def load(self, model: ModelRef) -> None:
        await self._inner.load(model)

    async def unload(self, name: str) -> None:
        await self._inner.unload(name)

    def status(self) -> BackendStatus:
        return self._inner.status()

    async def measure(self, call: Call) -> Measurement:
        began = self._clock()
        try:
            measurement = await self._inner.measure(call)
        except Problem as problem:
            self._metrics.called(call, problem.code, Tally())
            raise
        self._measured[call.id] = call, began
        return measurement

    async def release(self, call_id: str) -> None:
        self._measured.pop(call_id, None)
        await self._inner.release(call_id)

    async def run(self, call_id: str, tally: Tally | None = None) -> AsyncGenerator[Event, None]:
        call, began = self._measured.pop(call_id)
        tally = tally or Tally()
        outcome = "cancelled"
        is_first = True
        try:
            async with aclosing(self._inner.run(call_id, tally)) as events:
                async for event in events:
                    if is_first and isinstance(event, Delta):
                        is_first = False
                        self._metrics.first_token(call, self._clock() - began)
                    if isinstance(event, Result):
                        outcome = "ok"
                        self._metrics.timed(call, event.timing, event.usage.completion_tokens)
                    yield event
        except Problem as problem:
            outcome = problem.code
            raise
        except Exception:
            outcome = "internal_error"
            raise
        finally:
            self._metrics.called(call, outcome, tally)
