"""The life of a call in the worker, on a runtime and tasks made for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from llmaas_client.wire import chat as wire
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam.frames import Measured, Saying
from llmaas_server.seam.values import (
    Accepted,
    Call,
    Delta,
    Failure,
    ModelRef,
    Progress,
    Result,
    Timing,
    Usage,
)
from llmaas_server.tasks.base import Caller
from llmaas_server.worker import calls as calls_module
from llmaas_server.worker.calls import CallRunner
from support.backends import chat, eventually
from support.worker_runtime import UNREAD, ScriptedRuntime

RESULT = Result({}, Usage(3, 0, 1), Timing())


@dataclass(frozen=True)
class FixedPrompt:
    prompt_tokens: int = 3
    max_completion_tokens: int = 5


@dataclass
class FixedTask:
    """Yields what it was given; an exception among it is raised, None waits for ever."""

    events: list[Delta | Progress | Result | Exception | None]
    refusal: Exception | None = None
    callers: list[Caller] = field(default_factory=list)
    embedders: list[Model | None] = field(default_factory=list)
    closed: bool = False
    spec = wire.SPEC

    def prompt(
        self, request: wire.ChatRequest, model: Model, embedder: Model | None
    ) -> FixedPrompt:
        if self.refusal:
            raise self.refusal
        self.embedders.append(embedder)
        return FixedPrompt()

    async def run(
        self, prompt: FixedPrompt, model: Model, runtime: Runtime, caller: Caller
    ) -> AsyncGenerator[Delta | Progress | Result, None]:
        self.callers.append(caller)
        try:
            for event in self.events:
                if isinstance(event, Exception):
                    raise event
                if event is None:
                    await asyncio.Event().wait()
                    continue
                yield event
        finally:
            self.closed = True


class Said:
    """An outbox that keeps what is put into it."""

    def __init__(self) -> None:
        self.all: list[Saying] = []

    def put(self, request_id: int, saying: Saying) -> None:
        assert request_id == 1
        self.all.append(saying)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


class Bench:
    """One call on one task."""

    def __init__(self, task: FixedTask, call: Call, threads: ThreadPoolExecutor) -> None:
        self.said = Said()
        outbox: Any = self.said
        runtime: Any = ScriptedRuntime()
        self.runner = CallRunner(runtime, outbox, threads, lambda name: task)
        self.job = asyncio.create_task(self.runner.serve(1, call))

    async def measured(self) -> None:
        await eventually(lambda: bool(self.said.all))

    async def run(self) -> list[Saying]:
        """Measure and run; all that was said after the measurement."""
        await self.measured()
        self.runner.start(1)
        await self.job
        return self.said.all[1:]


async def test_a_call_is_measured_then_waits_then_runs(threads: ThreadPoolExecutor) -> None:
    bench = Bench(FixedTask([Delta("a"), RESULT]), chat("x"), threads)
    await bench.measured()
    assert isinstance(bench.said.all[0], Measured)
    assert bench.runner.parked == 1
    assert await bench.run() == [Accepted(3, "scripted"), Delta("a"), RESULT]
    assert bench.runner.parked == 0


async def test_a_second_model_is_there_for_calls_that_bring_one(
    threads: ThreadPoolExecutor,
) -> None:
    vectors = ModelRef("vectors", "", "encoder")
    task = FixedTask([RESULT])
    await Bench(task, chat("x"), threads).run()
    await Bench(task, msgspec.structs.replace(chat("x"), embedder=vectors), threads).run()
    none, embedder = task.embedders
    assert none is None
    assert embedder is not None
    assert embedder.ref == vectors


async def test_deltas_are_for_callers_that_stream(threads: ThreadPoolExecutor) -> None:
    task = FixedTask([Progress("read", 1, 2), Delta("a"), RESULT])
    said = await Bench(task, chat("x", stream=False), threads).run()
    assert said == [Accepted(3, "scripted"), Progress("read", 1, 2), RESULT]


async def test_the_task_learns_for_whom_and_until_when(threads: ThreadPoolExecutor) -> None:
    task = FixedTask([RESULT])
    now = asyncio.get_running_loop().time()
    await Bench(task, chat("x", deadline_ms=60_000.0), threads).run()
    deadline = task.callers[0].deadline
    assert deadline is not None
    assert now + 59 < deadline < now + 70


@pytest.mark.parametrize(
    ("task", "code"),
    [
        (FixedTask([Delta("a"), Problem("out_of_memory")]), "out_of_memory"),
        (FixedTask([Delta("a"), KeyError("x")]), "internal_error"),
        (FixedTask([TimeoutError("not the call's own")]), "internal_error"),
        (FixedTask([Delta("a")]), "internal_error"),
    ],
    ids=["problem", "exception", "timeout", "no result"],
)
async def test_a_run_that_fails_ends_with_a_failure(
    threads: ThreadPoolExecutor, task: FixedTask, code: str
) -> None:
    said = await Bench(task, chat("x"), threads).run()
    assert isinstance(said[-1], Failure)
    assert said[-1].code == code
    assert task.closed


async def test_a_result_says_what_the_models_could_not_read(threads: ThreadPoolExecutor) -> None:
    own = {"code": "own", "message": "of the task"}
    task = FixedTask([Result({"warnings": [own]}, Usage(), Timing())])
    call = msgspec.structs.replace(chat(UNREAD * 4), embedder=ModelRef("vectors", "", "encoder"))
    result = (await Bench(task, call, threads).run())[-1]
    assert isinstance(result, Result)
    first, second, last = result.body["warnings"]
    assert first["code"] == second["code"] == "unread_text"
    assert "scripted cannot read messages[0].content" in first["message"]
    assert "vectors cannot read messages[0].content" in second["message"]
    assert last == own


async def test_a_refusal_keeps_its_words(threads: ThreadPoolExecutor) -> None:
    problem = Problem("context_overflow", "9 of 8", hint="less", param="text", retry_after=2.0)
    bench = Bench(FixedTask([], refusal=problem), chat("x"), threads)
    await bench.job
    assert bench.said.all == [Failure("context_overflow", "9 of 8", "less", "text", 2.0)]


async def test_the_deadline_ends_a_run_and_closes_it(threads: ThreadPoolExecutor) -> None:
    task = FixedTask([Delta("a"), None])
    said = await Bench(task, chat("x", deadline_ms=200.0), threads).run()
    assert isinstance(said[-1], Failure)
    assert said[-1].code == "deadline_exceeded"
    assert task.closed


async def test_cancelling_closes_the_task_and_says_what_it_used(
    threads: ThreadPoolExecutor,
) -> None:
    task = FixedTask([Delta("a"), None])
    bench = Bench(task, chat("x"), threads)
    await bench.measured()
    bench.runner.start(1)
    await eventually(lambda: Delta("a") in bench.said.all)
    bench.job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bench.job
    assert task.closed
    last = bench.said.all[-1]
    assert isinstance(last, Failure)
    assert (last.code, last.usage) == ("cancelled", Usage(3, 0, 0))


async def test_cancelling_before_the_start_says_nothing(threads: ThreadPoolExecutor) -> None:
    bench = Bench(FixedTask([RESULT]), chat("x"), threads)
    await bench.measured()
    bench.job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bench.job
    assert len(bench.said.all) == 1


async def test_a_measured_call_is_not_kept_for_ever(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_module, "MEASURED_SECONDS", 0.05)
    bench = Bench(FixedTask([RESULT]), chat("x"), threads)
    await bench.job
    assert isinstance(bench.said.all[-1], Failure)
    assert bench.said.all[-1].code == "deadline_exceeded"
    assert bench.runner.parked == 0


async def test_the_log_has_places_and_no_texts(
    threads: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    error = ValueError("quotes a secret")
    error.__cause__ = KeyError("another secret")
    with caplog.at_level(logging.ERROR):
        await Bench(FixedTask([error]), chat("x"), threads).run()
    assert "call c1 failed" in caplog.text
    assert "KeyError" in caplog.text
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text
