"""The worker with the real runtime: killed in the middle of a stream, loading beside a stream."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import msgspec
import pytest

from llmaas_server.backends.worker import WorkerBackend
from llmaas_server.errors import Problem
from llmaas_server.models.machine import SHARE_FOR_MODELS, cpu_memory_bytes
from llmaas_server.seam.backend import Tally
from llmaas_server.seam.lanes import LaneState
from llmaas_server.seam.values import Call, Event, ModelRef, Result, WorkerOptions
from llmaas_server.settings import worker_environment
from support import tiny
from support.backends import chat, complete, eventually, started, until_delta

GAP_SECONDS = 1.0
"""Most that two tokens of a stream may lie apart while a model loads."""
BUSY_MACHINE = 10
"""Times the usual gap, which are allowed besides: it says how much of the machine others use."""


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> ModelRef:
    return tiny.llama(tmp_path_factory.mktemp("decoder"))


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> ModelRef:
    return tiny.embedder(tmp_path_factory.mktemp("embedder"))


@pytest.fixture
async def backend() -> AsyncIterator[WorkerBackend]:
    backend = WorkerBackend(
        WorkerOptions(device="cpu", threads=2), environment=worker_environment()
    )
    async with started(backend):
        yield backend


def on(model: ModelRef, call: Call) -> Call:
    return msgspec.structs.replace(call, model=model)


def resident(backend: WorkerBackend, name: str) -> bool:
    return any(m.name == name and m.state == "resident" for m in backend.status().models)


async def test_killed_in_the_middle_of_a_stream(
    backend: WorkerBackend, decoder: ModelRef, embedder: ModelRef
) -> None:
    call = on(decoder, chat("Tell me a story", max_tokens=1500, temperature=2.0, seed=1))
    await backend.measure(call)
    run = backend.run(call.id)
    await until_delta(run)
    killed = time.monotonic()
    os.kill(backend.pid or 0, signal.SIGKILL)
    with pytest.raises(Problem) as caught:
        async for _ in run:
            pass
    assert caught.value.code == "worker_lost"
    assert time.monotonic() - killed < 1.0

    # The next worker loads by itself what a call needs.
    answer = on(decoder, chat("Hello", max_tokens=5, temperature=0.0))
    embedding = Call("e1", "embed", embedder, {"text": ["one", "two"]})
    (*_, said), (*_, embedded) = await asyncio.gather(
        complete(backend, answer), complete(backend, embedding)
    )
    assert isinstance(said, Result)
    assert 1 <= said.usage.completion_tokens <= 5
    assert isinstance(embedded, Result)
    assert len(embedded.body["embeddings"]) == 2
    assert backend.status().restarts == 1
    await eventually(lambda: resident(backend, decoder.name))


async def test_calls_share_the_time_of_their_steps(
    backend: WorkerBackend, decoder: ModelRef
) -> None:
    await backend.load(decoder)
    begun = time.monotonic()
    whole, cut = Tally(), Tally()
    asked = on(decoder, chat("Hello", id="whole", max_tokens=40, temperature=2.0, seed=1))
    await backend.measure(asked)
    reading = asyncio.create_task(drained(backend.run("whole", whole)))
    measurement = await backend.measure(
        on(decoder, chat("Tell me a story", id="cut", max_tokens=1500, temperature=2.0, seed=2))
    )
    run = backend.run("cut", cut)
    for _ in range(3):
        await until_delta(run)
    await run.aclose()
    result = await reading
    seconds = time.monotonic() - begun
    assert isinstance(result, Result)
    assert result.times == whole.times
    assert cut.usage.prompt_tokens == measurement.prompt_tokens
    assert 3 <= cut.usage.completion_tokens < 1500
    assert whole.times.cpu_us > 0
    assert cut.times.cpu_us > 0
    assert whole.times.gpu_us == cut.times.gpu_us == 0
    # Each step belongs to somebody, and to nobody twice.
    assert whole.times.cpu_us + cut.times.cpu_us < 1e6 * seconds


async def drained(run: AsyncGenerator[Event, None]) -> Event:
    """The last event."""
    *_, last = [event async for event in run]
    return last


@pytest.mark.real_models
async def test_loading_leaves_a_stream_its_pace(
    backend: WorkerBackend, chat_ref: ModelRef, embedding_ref: ModelRef
) -> None:
    words = "Count from one to three hundred, in words, separated by commas."
    call = on(chat_ref, chat(words, max_tokens=1000, temperature=0.0))
    await backend.measure(call)
    run = backend.run(call.id)
    await until_delta(run)
    usual = max([await gap_of(run) for _ in range(10)])

    loading = asyncio.create_task(backend.load(embedding_ref))
    gaps = []
    while not loading.done():
        gaps.append(await gap_of(run))
    await loading
    await run.aclose()
    await eventually(lambda: resident(backend, embedding_ref.name))
    told = f"largest gap {max(gaps):.3f} s while a model loads, {usual:.3f} s before"
    logging.getLogger(__name__).info(told)
    assert max(gaps) < GAP_SECONDS + BUSY_MACHINE * usual, told


async def gap_of(run: AsyncGenerator[Event, None]) -> float:
    """Seconds until the next delta."""
    started = time.monotonic()
    await until_delta(run)
    return time.monotonic() - started


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


async def test_broken_weights_are_the_callers_to_know(
    backend: WorkerBackend, tmp_path: Path
) -> None:
    broken = tiny.llama(tmp_path, name="broken")
    cut(tmp_path / "model.safetensors")
    with pytest.raises(Problem) as caught:
        await backend.load(broken)
    assert caught.value.code == "model_broken"
    assert backend.status().ready


async def test_what_is_loaded_is_seen_at_once(backend: WorkerBackend, embedder: ModelRef) -> None:
    await backend.load(embedder)
    assert resident(backend, embedder.name)
    assert [(one.lane, one.now) for one in backend.status().models] == [("encode", LaneState())]
    await backend.unload(embedder.name)
    assert backend.status().models == []


async def test_what_models_may_take_is_told(backend: WorkerBackend) -> None:
    await backend.ready()
    assert backend.status().memory_bytes == int(SHARE_FOR_MODELS * cpu_memory_bytes())
