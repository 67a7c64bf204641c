"""Loading, finding and unloading models, through the engine and over an opener of our own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from llmaas_server.errors import Problem
from llmaas_server.runtime.engine import Engine
from llmaas_server.runtime.interface import Model
from llmaas_server.runtime.lane import Job, Lane, Output
from llmaas_server.runtime.memory import Budget, Size
from llmaas_server.runtime.meter import Meter
from llmaas_server.seam.lanes import LaneState
from llmaas_server.seam.values import ModelRef, ModelStatus, WorkerOptions
from support.engines import OPTIONS, PATIENCE, idle, until


@dataclass
class Blank:
    """A model of which nothing but its name and size is known."""

    ref: ModelRef


@dataclass
class EchoLane:
    """Answers a score with its own prefix, one job a step."""

    kernels: str = "echo"
    weight_bytes: int = 77
    jobs: list[Job] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    meter: Meter = field(default_factory=Meter)

    @property
    def state(self) -> LaneState:
        return LaneState(waiting=len(self.jobs))

    @property
    def busy(self) -> bool:
        return bool(self.jobs)

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def abort(self, job_id: int) -> None:
        self.jobs = [job for job in self.jobs if job.id != job_id]

    @property
    def loads(self) -> dict[int, int]:
        return {}

    def step(self) -> list[Output]:
        assert self.gate.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        job = self.jobs.pop(0)
        return [Output(job.id, items=[[list(job.work.prefix)]], done=True)]

    def check(self) -> None:
        assert not self.jobs


class Shelf:
    """An opener whose loads wait until they are let through."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.lane = EchoLane()
        self.lane.gate.set()
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None

    def open(
        self, ref: ModelRef, options: WorkerOptions, progress: Callable[[float], None]
    ) -> tuple[Model, Lane]:
        self.opened.append(ref.name)
        progress(0.5)
        assert self.gate.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        model: Any = Blank(ref)
        return model, self.lane


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def engine(shelf: Shelf) -> AsyncIterator[Engine]:
    """An engine over the shelf."""
    engine = Engine(OPTIONS, shelf.open, Budget(1000), lambda ref, *, built=False: Size(80, 20))
    yield engine
    shelf.gate.set()
    shelf.lane.gate.set()
    await asyncio.to_thread(engine.close)


NAMED = ModelRef("named", "/nowhere", "decoder")


async def test_calls_for_one_model_share_one_load(engine: Engine, shelf: Shelf) -> None:
    models = await asyncio.gather(*(engine.load(NAMED) for _ in range(5)))
    assert shelf.opened == ["named"]
    assert all(model is models[0] for model in models)
    assert await engine.load(NAMED) is models[0]


async def test_a_load_can_be_watched(engine: Engine, shelf: Shelf) -> None:
    assert engine.models() == []
    shelf.gate.clear()
    before = engine.progress()
    load = asyncio.create_task(engine.load(NAMED))
    await until(lambda: engine.progress() > before)
    assert engine.busy
    assert engine.models() == [
        ModelStatus(
            "named",
            "loading",
            0.5,
            80,
            kv_bytes=20,
            in_use=True,
            quantization="auto",
            lane="generate",
        )
    ]
    shelf.gate.set()
    await load
    assert engine.models() == [
        ModelStatus(
            "named",
            "resident",
            1.0,
            77,
            kv_bytes=20,
            kernels="echo",
            quantization="auto",
            lane="generate",
        )
    ]
    await until(idle(engine))


async def test_steps_go_on_while_a_model_is_loaded(engine: Engine, shelf: Shelf) -> None:
    model = await engine.load(NAMED)
    shelf.gate.clear()
    load = asyncio.create_task(engine.load(ModelRef("other", "/nowhere", "decoder")))
    await until(lambda: "other" in shelf.opened)
    assert await engine.score(model, [1, 2], [[3]]) == [[1, 2]]
    shelf.gate.set()
    await load


async def test_a_caller_that_goes_away_leaves_the_load_to_the_others(
    engine: Engine, shelf: Shelf
) -> None:
    shelf.gate.clear()
    first, second = (asyncio.create_task(engine.load(NAMED)) for _ in range(2))
    await until(lambda: shelf.opened == ["named"])
    first.cancel()
    shelf.gate.set()
    assert (await second).ref == NAMED
    assert shelf.opened == ["named"]


async def test_a_load_that_fails_can_be_tried_again(engine: Engine, shelf: Shelf) -> None:
    shelf.error = OSError("no such file")
    with pytest.raises(Problem, match="no such file") as caught:
        await engine.load(NAMED)
    assert caught.value.code == "model_broken"
    shelf.error = Problem("model_has_no_head")
    with pytest.raises(Problem) as caught:
        await engine.load(NAMED)
    assert caught.value.code == "model_has_no_head"
    assert engine.models() == []
    shelf.error = None
    assert (await engine.load(NAMED)).ref == NAMED


async def test_unloading_waits_for_jobs_and_takes_no_new_ones(engine: Engine, shelf: Shelf) -> None:
    model = await engine.load(NAMED)
    shelf.lane.gate.clear()
    score = asyncio.create_task(engine.score(model, [1], [[2]]))
    await until(lambda: bool(shelf.lane.jobs))
    unload = asyncio.create_task(engine.unload("named"))
    await until(lambda: engine.models() == [])
    with pytest.raises(Problem, match="unloaded") as caught:
        await engine.score(model, [1], [[2]])
    assert caught.value.code == "overloaded"
    assert not unload.done()
    shelf.lane.gate.set()
    assert await score == [[1]]
    await unload
    assert await engine.load(NAMED) is not model


async def test_unloading_what_is_not_there_is_no_error(engine: Engine) -> None:
    await engine.unload("nobody")


async def test_a_broken_step_fails_every_job_and_every_later_call(
    engine: Engine, shelf: Shelf
) -> None:
    model = await engine.load(NAMED)
    assert engine.failure is None
    shelf.lane.gate.clear()
    shelf.lane.error = RuntimeError("the device is gone")
    scores = [asyncio.create_task(engine.score(model, [1], [[2]])) for _ in range(3)]
    await until(lambda: bool(shelf.lane.jobs))
    shelf.lane.gate.set()
    problems = await asyncio.gather(*scores, return_exceptions=True)
    for problem in problems:
        assert isinstance(problem, Problem)
        assert problem.code == "internal_error"
    assert engine.failure == "RuntimeError: the device is gone"
    with pytest.raises(Problem, match="the device is gone"):
        await engine.score(model, [1], [[2]])
