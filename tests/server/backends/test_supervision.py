"""A worker that crashes, hangs or cannot start: typed errors at once, and a new one by itself."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from llmaas_server.backends.worker import WorkerBackend
from llmaas_server.errors import Problem
from llmaas_server.seam.values import Accepted
from support.backends import (
    answer,
    chat,
    complete,
    eventually,
    scripted_worker,
    started,
    until_delta,
)

HANG_SECONDS = 2.5
"""Longer than a worker takes to start on a busy machine."""


async def code_of(work: asyncio.Task[object]) -> str:
    with pytest.raises(Problem) as caught:
        await work
    return caught.value.code


def pid_of(backend: WorkerBackend) -> int:
    pid = backend.pid
    assert pid is not None
    return pid


async def test_a_killed_worker_ends_calls_at_once_and_comes_back() -> None:
    async with started(scripted_worker()) as backend:
        await backend.measure(chat("endless", id="streaming", max_tokens=100))
        await backend.measure(chat("not yet run", id="measured"))
        streaming = backend.run("streaming")
        await until_delta(streaming)

        async def drain() -> object:
            return [event async for event in streaming]

        reading = asyncio.create_task(drain())
        killed = time.monotonic()
        os.kill(pid_of(backend), signal.SIGKILL)
        assert await code_of(reading) == "worker_lost"
        assert time.monotonic() - killed < 1.0
        with pytest.raises(Problem) as caught:
            await anext(backend.run("measured"))
        assert caught.value.code == "worker_lost"

        assert backend.status().running == 0
        assert await answer(backend, chat("back again")) == "back again"
        assert backend.status().restarts == 1
        assert backend.status().ready


async def test_a_call_that_kills_its_worker_is_told_so() -> None:
    async with started(scripted_worker()) as backend:
        with pytest.raises(Problem) as caught:
            await complete(backend, chat("die"))
        assert caught.value.code == "worker_lost"
        assert await answer(backend, chat("next")) == "next"


@pytest.mark.parametrize("prompt", ["freeze", "stuck"])
async def test_a_worker_without_progress_is_replaced(prompt: str) -> None:
    """Frozen: its loop stands still, and no pulse comes. Stuck: it lives, and nothing moves."""
    async with started(scripted_worker(hang_seconds=HANG_SECONDS)) as backend:
        await answer(backend, chat("ready", id="c0"))
        hanging = asyncio.create_task(complete(backend, chat(prompt)))
        await eventually(lambda: not backend.status().ready)
        assert await code_of(hanging) == "worker_lost"
        assert await answer(backend, chat("next")) == "next"
        assert backend.status().restarts == 1


async def test_a_stopped_process_is_replaced() -> None:
    async with started(scripted_worker(hang_seconds=HANG_SECONDS)) as backend:
        await answer(backend, chat("ready"))
        first = pid_of(backend)
        os.kill(first, signal.SIGSTOP)
        await eventually(lambda: backend.status().restarts == 1)
        assert await answer(backend, chat("next")) == "next"
        assert pid_of(backend) != first


async def test_waiting_callers_are_not_a_hang() -> None:
    """A call that is measured and not run, and pulses of an idle worker, blame nobody."""
    async with started(scripted_worker(hang_seconds=HANG_SECONDS)) as backend:
        await backend.measure(chat("parked", id="parked"))
        waited = asyncio.get_running_loop().time() + HANG_SECONDS * 1.2
        await eventually(lambda: asyncio.get_running_loop().time() > waited)
        assert backend.status().restarts == 0
        assert backend.status().ready
        await backend.release("parked")


async def test_a_runtime_that_failed_is_replaced() -> None:
    async with started(scripted_worker()) as backend:
        with pytest.raises(Problem) as caught:
            await complete(backend, chat("fail"))
        assert caught.value.code == "worker_lost"
        assert await answer(backend, chat("next")) == "next"


async def test_signals_for_the_group_do_not_end_a_call() -> None:
    async with started(scripted_worker()) as backend:
        await backend.measure(chat("ends by itself"))
        run = backend.run("c1")
        assert isinstance(await anext(run), Accepted)
        os.kill(pid_of(backend), signal.SIGINT)
        os.kill(pid_of(backend), signal.SIGTERM)
        assert [event async for event in run]
        assert backend.status().restarts == 0


@pytest.mark.parametrize(
    ("runtime", "reason"),
    [("create_nothing", "there is no device 'auto'"), ("crash", "exit status 3")],
)
async def test_a_worker_that_cannot_start_says_why(runtime: str, reason: str) -> None:
    async with started(scripted_worker(runtime)) as backend:
        with pytest.raises(Problem, match=reason) as caught:
            await backend.measure(chat("hello"))
        assert caught.value.code == "starting"
        assert caught.value.retry_after is not None
        assert not backend.status().ready
        # Each attempt doubles the pause before the next.
        assert backend.status().restarts <= 4


async def test_a_setting_that_cannot_be_met_is_one_line(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with started(scripted_worker("create_refused")) as backend:
        with pytest.raises(Problem, match=r"no auto here\. Choose another device"):
            await backend.measure(chat("hello"))
    assert "no auto here. Choose another device; the next starts in" in caplog.text
    assert "Traceback" not in capfd.readouterr().err


async def test_waiting_for_a_worker_ends_with_the_deadline() -> None:
    async with started(scripted_worker("create_never")) as backend:
        begun = time.monotonic()
        with pytest.raises(Problem) as caught:
            await backend.measure(chat("hello", deadline_ms=300.0))
        assert caught.value.code == "deadline_exceeded"
        assert time.monotonic() - begun < 2.0
        assert backend.status().running == 0


async def test_stop_while_the_worker_starts_ends_those_who_wait() -> None:
    backend = scripted_worker("create_never")
    await backend.start()
    waiting = asyncio.create_task(complete(backend, chat("hello")))
    await eventually(lambda: backend.pid is not None)
    pid = pid_of(backend)
    await backend.stop(0)
    assert await code_of(waiting) == "shutting_down"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
