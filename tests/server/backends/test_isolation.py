"""What a worker can reach, what it is given, and what is left when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from llmaas_server.backends.worker import WorkerBackend
from llmaas_server.errors import Problem
from llmaas_server.seam import frames
from llmaas_server.seam.values import Result, WorkerOptions
from support.backends import (
    ENVIRONMENT,
    MODEL,
    TESTS,
    answer,
    chat,
    complete,
    eventually,
    scripted_worker,
    started,
    until_delta,
)
from support.worker_runtime import GENERATING


@pytest.mark.parametrize("command", ["connect", "resolve"])
async def test_a_worker_opens_no_connection(command: str) -> None:
    async with started(scripted_worker()) as backend:
        told = await answer(backend, chat(command))
        assert "a worker opens no connection" in told


async def test_a_worker_has_the_environment_it_was_given_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLMAAS_API_KEY", "secret")
    monkeypatch.setenv("HF_TOKEN", "secret")
    async with started(scripted_worker()) as backend:
        names = set((await answer(backend, chat("environment"))).split())
    offline = {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TOKENIZERS_PARALLELISM"}
    # LC_CTYPE: Python sets it where the locale is C.
    threads = {"OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS"}
    assert names - {"LC_CTYPE"} == {*ENVIRONMENT, *offline, *threads}


async def test_a_texts_content_is_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    async with started(scripted_worker()) as backend:
        with pytest.raises(Problem) as caught:
            await complete(backend, chat("boom my-secret-text"))
    assert caught.value.code == "internal_error"
    assert "my-secret-text" not in caught.value.message
    log = capfd.readouterr().err
    assert "ValueError" in log
    assert "worker_runtime.py" in log, "the place of the failure is in the log"
    assert "my-secret-text" not in log


async def test_closing_a_run_stops_the_work() -> None:
    async with started(scripted_worker()) as backend:

        def generating() -> int:
            return sum(m.bytes for m in backend.status().models if m.name == GENERATING)

        await backend.measure(chat("stuck"))
        run = backend.run("c1")
        await anext(run)
        await eventually(lambda: generating() == 1)
        await run.aclose()
        await eventually(lambda: generating() == 0)


async def test_a_reader_that_lags_holds_up_nobody() -> None:
    async with started(scripted_worker()) as backend:
        await backend.measure(chat("endless", id="lagging", max_tokens=100))
        lagging = backend.run("lagging")
        await until_delta(lagging)
        assert await answer(backend, chat("endless", max_tokens=100)) == "ab" * 50
        events = [event async for event in lagging]
        assert isinstance(events[-1], Result)


async def test_a_call_that_fits_no_frame_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with started(scripted_worker()) as backend:
        await answer(backend, chat("ready"))
        monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 1000)
        with pytest.raises(Problem) as caught:
            await backend.measure(chat("x" * 2000))
        assert caught.value.code == "body_too_large"
        assert await answer(backend, chat("small")) == "small"


async def test_loading_does_not_hold_up_a_stream() -> None:
    async with started(scripted_worker()) as backend:
        slow = type(MODEL)(name="slow", path="", kind="decoder")
        await backend.measure(chat("endless", id="warm", max_tokens=1))
        await backend.release("warm")
        loading = asyncio.create_task(backend.load(slow))
        streamed = 0
        shares = set()
        while not loading.done():
            await complete(backend, chat("endless", max_tokens=50))
            streamed += 1
            shares |= {m.progress for m in backend.status().models if m.state == "loading"}
        await loading
        assert streamed > 2
        assert shares, "loading can be watched"


async def test_a_model_that_cannot_be_loaded_says_so() -> None:
    async with started(scripted_worker()) as backend:
        with pytest.raises(Problem) as caught:
            await backend.load(type(MODEL)(name="broken", path="", kind="decoder"))
        assert caught.value.code == "model_broken"


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def test_nothing_is_left_after_stop() -> None:
    # The first child of a process makes asyncio open what it keeps.
    async with started(scripted_worker()) as backend:
        await answer(backend, chat("first"))
    files, threads, tasks = open_files(), threading.active_count(), len(asyncio.all_tasks())
    async with started(scripted_worker()) as backend:
        await answer(backend, chat("hello"))
        pid = backend.pid
        os.kill(pid or 0, signal.SIGKILL)
        await eventually(lambda: backend.status().restarts == 1)
        await answer(backend, chat("hello"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid or 0, 0)
    await eventually(lambda: threading.active_count() == threads)
    assert (open_files(), len(asyncio.all_tasks())) == (files, tasks)


FRONT = """
import asyncio, sys
from support.backends import answer, chat, scripted_worker

async def main():
    backend = scripted_worker()
    await backend.start()
    await answer(backend, chat("hello"))
    print(backend.pid, "torch" in sys.modules, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_worker_dies_with_its_front_which_never_imports_torch() -> None:
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(
        [sys.executable, "-c", FRONT], stdout=subprocess.PIPE, text=True, env=environment
    ) as front:
        assert front.stdout is not None
        try:
            pid, torch = front.stdout.readline().split()
        finally:
            front.kill()
    assert torch == "False"
    asyncio.run(ended(int(pid)))


async def ended(pid: int) -> None:
    await eventually(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    """Whether the process is there, and not only as a zombie that its new parent has not met."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()  # Without /proc the signal alone tells.
    return state != "Z"


async def test_a_worker_that_cannot_even_be_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    backend = WorkerBackend(WorkerOptions(), environment=ENVIRONMENT)
    async with started(backend):
        with pytest.raises(Problem, match="cannot be started") as caught:
            await backend.measure(chat("hello"))
        assert caught.value.code == "starting"
