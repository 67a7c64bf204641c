"""A backend that makes its answers up: for tests of everything above the seam.

Never a fallback: results name the model `fake`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from pydantic import ValidationError

from llmaas_client.wire import JOBS, TASKS
from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.validation import explain
from llmaas_server.errors import Problem
from llmaas_server.seam.backend import Tally
from llmaas_server.seam.values import (
    Accepted,
    BackendStatus,
    Call,
    Delta,
    Event,
    Measurement,
    ModelRef,
    ModelStatus,
    Result,
    Timing,
    Usage,
    WorkerStatus,
)

from .fake_answer import Answer
from .fake_answers import answer

MODEL_NAME = "fake"

Pace = Callable[[Call], Awaitable[None]]
"""Awaited before each event that follows `Accepted`: a test decides when the next one comes."""


async def at_once(call: Call) -> None:
    """The pace of an answer that is there at once, though not without letting others run."""
    await asyncio.sleep(0)


class NoWorkers:
    """See `seam.backend.Workers`: of a backend that computes nothing, or in this process."""

    def workers(self) -> list[WorkerStatus]:
        return []

    async def add(self, device: str, threads: int | None = None) -> WorkerStatus:
        raise _no_workers()

    def drain(self, name: str) -> WorkerStatus:
        raise _no_workers()


def _no_workers() -> Problem:
    return Problem(
        "conflict",
        "the server's backend has no workers",
        hint="Start the server with the setting backend = worker.",
    )


CONTEXT = 4096
"""In words."""


@dataclass(slots=True)
class _Open:
    call: Call
    answer: Answer
    deadline: float | None
    running: bool = False


class FakeBackend:
    """See `seam.backend.Backend`. Any model does any task."""

    def __init__(self, *, context: int = CONTEXT, pace: Pace = at_once) -> None:
        """`context` is in words."""
        self._context = context
        self._pace = pace
        self._calls: dict[str, _Open] = {}
        self._resident: dict[str, ModelRef] = {}
        self._started = False
        self._stopping = False
        self._ended = asyncio.Event()
        self._idle = asyncio.Event()
        self.cancelled: list[str] = []
        """Ids of calls that were closed before their result."""
        self.released: list[str] = []

    async def start(self) -> None:
        self._started = True

    async def ready(self) -> None:
        self._check_open()

    async def stop(self, grace: float) -> None:
        self._stopping = True
        if self._calls:
            self._idle.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), grace)
        self._ended.set()

    async def measure(self, call: Call) -> Measurement:
        self._check_open()
        if call.id in self._calls:
            raise Problem("conflict", f"the call {call.id!r} is known already")
        deadline = _deadline_of(call)
        if deadline is not None and deadline <= _now():
            raise Problem("deadline_exceeded")
        answered = answer(_request_of(call), self._context, call)
        self._resident[call.model.name] = call.model
        self._calls[call.id] = _Open(call, answered, deadline)
        return Measurement(answered.prompt_tokens, answered.max_completion_tokens)

    async def run(self, call_id: str, tally: Tally | None = None) -> AsyncGenerator[Event, None]:
        opened = self._calls.get(call_id)
        if opened is None or opened.running:
            raise Problem("internal_error", f"the call {call_id!r} was not measured")
        opened.running = True
        started = _now()
        finished = False
        tally = tally or Tally()
        prompt_tokens = opened.answer.prompt_tokens
        try:
            tally.usage = Usage(prompt_tokens)
            yield Accepted(prompt_tokens, MODEL_NAME)
            for number, delta in enumerate(_deltas(opened), start=1):
                await self._step(opened)
                tally.usage = Usage(prompt_tokens, 0, min(number, opened.answer.completion_tokens))
                yield delta
            await self._step(opened)
            finished = True
            result = _result(opened.answer, _now() - started)
            tally.usage, tally.times = result.usage, result.times
            yield result
        except (GeneratorExit, asyncio.CancelledError):
            if not finished:
                self.cancelled.append(call_id)
            raise
        finally:
            self._forget(call_id)

    async def release(self, call_id: str) -> None:
        opened = self._calls.get(call_id)
        if opened and not opened.running:
            self.released.append(call_id)
            self._forget(call_id)

    async def load(self, model: ModelRef) -> None:
        self._check_open()
        self._resident[model.name] = model

    async def unload(self, name: str) -> None:
        self._check_open()
        self._resident.pop(name, None)

    def status(self) -> BackendStatus:
        return BackendStatus(
            ready=self._started and not self._stopping,
            models=[ModelStatus(name, "resident", 1.0, 0) for name in self._resident],
            running=len(self._calls),
        )

    def _check_open(self) -> None:
        if self._stopping:
            raise Problem("shutting_down")
        if not self._started:
            raise Problem("starting")

    async def _step(self, opened: _Open) -> None:
        """Wait for the pace. Raises Problem where the call or the backend ends before."""
        pace = asyncio.ensure_future(self._pace(opened.call))
        ended = asyncio.ensure_future(self._ended.wait())
        left = None if opened.deadline is None else max(opened.deadline - _now(), 0.0)
        try:
            await asyncio.wait({pace, ended}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if self._ended.is_set():
                raise Problem("shutting_down")
            if not pace.done():
                raise Problem("deadline_exceeded")
            pace.result()
        finally:
            pace.cancel()
            ended.cancel()

    def _forget(self, call_id: str) -> None:
        self._calls.pop(call_id, None)
        if not self._calls:
            self._idle.set()


def _request_of(call: Call) -> TaskRequest:
    """Raises Problem."""
    known = TASKS | JOBS
    if call.task not in known:
        raise Problem("not_found", f"there is no task {call.task!r}")
    try:
        request: TaskRequest = known[call.task].request.model_validate(call.request)
    except ValidationError as error:
        detail = explain(error).error
        raise Problem(detail.code, detail.message, param=detail.param) from error
    return request


def _deltas(opened: _Open) -> tuple[Delta, ...]:
    """None for a caller that does not stream."""
    return opened.answer.deltas if opened.call.stream else ()


def _result(answered: Answer, seconds: float) -> Result:
    return Result(
        answered.body,
        Usage(answered.prompt_tokens, 0, answered.completion_tokens),
        Timing(decode_ms=1e3 * seconds, total_ms=1e3 * seconds),
    )


def _deadline_of(call: Call) -> float | None:
    return None if call.deadline_ms is None else _now() + call.deadline_ms / 1e3


def _now() -> float:
    return asyncio.get_running_loop().time()
