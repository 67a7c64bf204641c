"""Models under one budget: who is loaded, who makes room, who is refused, who is forgotten."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from llmaas_server.errors import Problem
from llmaas_server.runtime.engine import Engine
from llmaas_server.runtime.interface import Model
from llmaas_server.runtime.lane import Job, Lane, Output
from llmaas_server.runtime.memory import Budget, Size
from llmaas_server.runtime.meter import Meter
from llmaas_server.seam.lanes import LaneState
from llmaas_server.seam.values import ModelRef, WorkerOptions
from support.engines import OPTIONS, PATIENCE, until

BUDGET = Budget(100)


@dataclass
class Blank:
    ref: ModelRef


class NothingLane:
    """Answers a score with its prefix at once."""

    def __init__(self, weight_bytes: int | None) -> None:
        self.kernels = "none"
        self.weight_bytes = weight_bytes
        """A test may change it: kernels take over from torch."""
        self._jobs: list[Job] = []
        self.meter = Meter()
        self.state = LaneState()

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    def submit(self, job: Job) -> None:
        self._jobs.append(job)

    def abort(self, job_id: int) -> None:
        self._jobs = [job for job in self._jobs if job.id != job_id]

    @property
    def loads(self) -> dict[int, int]:
        return {}

    def step(self) -> list[Output]:
        job = self._jobs.pop()
        return [Output(job.id, items=[[list(job.work.prefix)]], done=True)]

    def check(self) -> None:
        assert not self._jobs


@dataclass
class Shelf:
    """Models whose size is in their name: `chat-40`. `most` is the most there ever was at once.

    Names that begin with `tight` are of models that take 10 once their kernels are built.
    """

    lanes: dict[str, NothingLane] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    engine: Engine | None = None
    most: int = 0

    def estimate(self, ref: ModelRef, *, built: bool = False) -> Size:
        if built and ref.name.startswith("tight"):
            return Size(10)
        weights, _, kv = ref.name.partition("-")[2].partition("+")
        return Size(int(weights), int(kv or 0))

    def open(
        self, ref: ModelRef, options: WorkerOptions, progress: Callable[[float], None]
    ) -> tuple[Model, Lane]:
        self.opened.append(ref.name)
        if ref.name.startswith("broken"):
            raise OSError("cut off")
        assert self.gate.wait(PATIENCE)
        assert self.engine is not None
        # This one is among them: loading, with the memory that was promised to it.
        held = sum(one.bytes + one.kv_bytes for one in self.engine.models())
        self.most = max(self.most, held)
        model: Any = Blank(ref)
        lane = self.lanes[ref.name] = NothingLane(self.estimate(ref, built=True).weights)
        return model, lane


@dataclass
class _Alarm:
    at: float
    action: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class HandClock:
    """Time that moves when a test moves it."""

    def __init__(self) -> None:
        self._now = 0.0
        self._alarms: list[_Alarm] = []

    def now(self) -> float:
        return self._now

    def later(self, seconds: float, action: Callable[[], None]) -> _Alarm:
        self._alarms.append(_Alarm(self._now + seconds, action))
        return self._alarms[-1]

    def forward(self, seconds: float) -> None:
        self._now += seconds
        due = [alarm for alarm in self._alarms if alarm.at <= self._now]
        self._alarms = [alarm for alarm in self._alarms if alarm not in due]
        for alarm in due:
            if not alarm.cancelled:
                alarm.action()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf()
    shelf.gate.set()
    return shelf


@pytest.fixture
async def engine(shelf: Shelf, clock: HandClock) -> AsyncIterator[Engine]:
    options = msgspec.structs.replace(OPTIONS, pinned=("pinned-30",), idle_seconds=60.0)
    shelf.engine = Engine(options, shelf.open, BUDGET, shelf.estimate, clock)
    yield shelf.engine
    shelf.gate.set()
    await asyncio.to_thread(shelf.engine.close)


def ref(name: str) -> ModelRef:
    return ModelRef(name, "/nowhere", "decoder")


def resident(engine: Engine) -> list[str]:
    return sorted(one.name for one in engine.models() if one.state == "resident")


async def use(engine: Engine, name: str, clock: HandClock) -> None:
    clock.forward(1)
    async with engine.using(ref(name)) as model:
        assert await engine.score(model, [1], [[2]]) == [[1]]


async def test_the_least_recently_used_makes_room(engine: Engine, clock: HandClock) -> None:
    for name in ("a-40", "b-40", "a-40"):
        await use(engine, name, clock)
    await use(engine, "c-40", clock)
    assert resident(engine) == ["a-40", "c-40"]


async def test_keys_and_values_count(engine: Engine, clock: HandClock) -> None:
    await use(engine, "a-40", clock)
    await use(engine, "b-40+30", clock)
    assert resident(engine) == ["b-40+30"]


async def test_a_model_in_use_stays_and_the_other_is_refused(
    engine: Engine, clock: HandClock
) -> None:
    async with engine.using(ref("a-60")) as model:
        with pytest.raises(Problem, match="a-60 0 MiB") as caught:
            await use(engine, "b-60", clock)
        assert caught.value.code == "out_of_memory"
        assert resident(engine) == ["a-60"]
        assert await engine.score(model, [1], [[2]]) == [[1]]
    await use(engine, "b-60", clock)
    assert resident(engine) == ["b-60"]


async def test_what_never_fits_is_refused_and_nobody_goes(
    engine: Engine, shelf: Shelf, clock: HandClock
) -> None:
    await use(engine, "a-40", clock)
    with pytest.raises(Problem) as caught:
        await engine.load(ref("b-101"))
    assert caught.value.code == "out_of_memory"
    assert resident(engine) == ["a-40"]
    assert shelf.opened == ["a-40"]


async def test_a_pinned_model_stays(engine: Engine, clock: HandClock) -> None:
    await use(engine, "pinned-30", clock)
    await use(engine, "a-60", clock)
    await use(engine, "b-70", clock)
    assert resident(engine) == ["b-70", "pinned-30"]
    with pytest.raises(Problem, match="pinned-30 0 MiB"):
        await use(engine, "c-71", clock)
    clock.forward(1000)
    await until(lambda: resident(engine) == ["pinned-30"])


async def test_a_model_that_nobody_uses_is_unloaded(engine: Engine, clock: HandClock) -> None:
    await use(engine, "a-40", clock)
    clock.forward(59)
    await use(engine, "a-40", clock)  # begins the wait anew, a second later
    clock.forward(59)
    assert resident(engine) == ["a-40"]
    clock.forward(1)
    assert resident(engine) == []


async def test_a_model_in_use_is_not_idle(engine: Engine, clock: HandClock) -> None:
    async with engine.using(ref("a-40")):
        clock.forward(1000)
        assert resident(engine) == ["a-40"]
    clock.forward(59)
    assert resident(engine) == ["a-40"]
    clock.forward(1)
    assert resident(engine) == []


async def test_loads_at_once_keep_to_the_budget(
    engine: Engine, shelf: Shelf, clock: HandClock
) -> None:
    names = [
        f"{letter}-{size}" for letter, size in zip("abcdef", [30, 40, 50, 30, 40, 50], strict=True)
    ]
    uses = await asyncio.gather(
        *(use(engine, name, clock) for name in names), return_exceptions=True
    )
    assert shelf.most <= BUDGET.bytes
    served = {name for name, outcome in zip(names, uses, strict=True) if outcome is None}
    assert served == set(shelf.opened)
    for outcome in uses:
        assert outcome is None or (isinstance(outcome, Problem) and outcome.code == "out_of_memory")
    assert served


async def test_what_is_promised_to_a_load_is_not_promised_twice(
    engine: Engine, shelf: Shelf
) -> None:
    shelf.gate.clear()
    first = asyncio.create_task(engine.load(ref("a-60")))
    await until(lambda: shelf.opened == ["a-60"])
    with pytest.raises(Problem, match="a-60"):
        await engine.load(ref("b-60"))
    second = asyncio.create_task(engine.load(ref("c-40")))
    shelf.gate.set()
    await asyncio.gather(first, second)
    assert resident(engine) == ["a-60", "c-40"]
    assert shelf.most == 100


async def test_a_load_that_fails_gives_back_what_was_promised(
    engine: Engine, clock: HandClock
) -> None:
    async with engine.using(ref("a-40")):
        with pytest.raises(Problem, match="cut off"):
            await engine.load(ref("broken-50"))
        await use(engine, "c-60", clock)
    assert resident(engine) == ["a-40", "c-60"]


async def test_a_call_ends_on_the_model_that_it_holds(engine: Engine) -> None:
    async with engine.using(ref("a-60")) as model:
        unload = asyncio.create_task(engine.unload("a-60"))
        await until(lambda: resident(engine) == [])
        assert await engine.score(model, [1], [[2]]) == [[1]]
        assert not unload.done()
    await unload
    with pytest.raises(Problem, match="unloaded"):
        await engine.score(model, [1], [[2]])


async def test_the_list_shows_who_is_in_use(engine: Engine) -> None:
    async with engine.using(ref("pinned-30")):
        (status,) = engine.models()
        assert (status.bytes, status.in_use, status.pinned) == (30, True, True)
    (status,) = engine.models()
    assert not status.in_use


async def test_a_model_takes_what_its_kernels_take_after_they_took_over(
    engine: Engine, shelf: Shelf, clock: HandClock
) -> None:
    async with engine.using(ref("a-60")):
        lane = shelf.lanes["a-60"]
        lane.weight_bytes = None  # both are there, or on their way
        assert [one.bytes for one in engine.models()] == [60]
        with pytest.raises(Problem, match="needs about"):
            await use(engine, "b-80", clock)
        lane.weight_bytes, lane.kernels = 20, "native int8"
        await use(engine, "b-80", clock)
        assert {one.name: (one.bytes, one.kernels) for one in engine.models()} == {
            "a-60": (20, "native int8"),
            "b-80": (80, "none"),
        }


async def test_a_model_waits_for_its_kernels_where_it_cannot_be_there_twice(
    engine: Engine, shelf: Shelf, clock: HandClock
) -> None:
    before = engine.progress()
    await use(engine, "tight-101", clock)
    assert [(one.name, one.bytes) for one in engine.models()] == [("tight-101", 10)]
    assert engine.progress() > before
