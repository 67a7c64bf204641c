from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from queue import SimpleQueue

import pytest

from llmaas_server.errors import Problem
from llmaas_server.runtime.lane import Job, Output
from llmaas_server.runtime.loop import StepLoop
from llmaas_server.runtime.meter import Meter
from llmaas_server.runtime.request import Token
from llmaas_server.runtime.spending import Spending
from llmaas_server.seam.lanes import LaneState

PATIENCE = 10.0


@dataclass
class Outbox:
    """What came out of the thread, in order."""

    outputs: SimpleQueue[list[Output]] = field(default_factory=SimpleQueue)
    ends: SimpleQueue[Problem] = field(default_factory=SimpleQueue)

    def deliver(self, outputs: list[Output]) -> None:
        self.outputs.put(outputs)

    def end(self, problem: Problem) -> None:
        self.ends.put(problem)

    def next(self) -> list[Output]:
        return self.outputs.get(timeout=PATIENCE)


class CountingLane:
    """Each job is a number of steps; the oldest goes first."""

    kernels = "none"
    weight_bytes = 0
    loads: Mapping[int, int] = {}

    def __init__(self, name: str = "", order: list[str] | None = None) -> None:
        self.jobs: deque[list[int]] = deque()
        self.gate = threading.Event()
        self.gate.set()
        self.name = name
        self.order = order if order is not None else []
        self.unbalanced = False
        self.meter = Meter()

    @property
    def state(self) -> LaneState:
        return LaneState(waiting=len(self.jobs))

    @property
    def busy(self) -> bool:
        return bool(self.jobs)

    def submit(self, job: Job) -> None:
        if job.work == 0:
            raise Problem("out_of_memory")
        self.jobs.append([job.id, job.work])

    def abort(self, job_id: int) -> None:
        self.jobs = deque(job for job in self.jobs if job[0] != job_id)

    def step(self) -> list[Output]:
        assert self.gate.wait(PATIENCE)
        self.order.append(self.name)
        job = self.jobs[0]
        job[1] -= 1
        if job[1] == 0:
            self.jobs.popleft()
        return [Output(job[0], items=[job[1]], done=job[1] == 0)]

    def check(self) -> None:
        if self.unbalanced:
            raise AssertionError("unbalanced")


class SharedLane(CountingLane):
    """All jobs take part in each step, with as many tokens as they have steps left."""

    def step(self) -> list[Output]:
        assert self.gate.wait(PATIENCE)
        self.loads = {job[0]: job[1] for job in self.jobs}
        for job in self.jobs:
            job[1] -= 1
        ended = [job[0] for job in self.jobs if job[1] == 0]
        self.jobs = deque(job for job in self.jobs if job[1])
        items = [Token(5), Token(6)]
        return [Output(id, items=items, done=id in ended) for id in self.loads]


class BrokenLane(CountingLane):
    def step(self) -> list[Output]:
        raise RuntimeError("the device is gone")


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def loop(outbox: Outbox) -> Iterator[StepLoop]:
    loop = StepLoop(outbox)
    yield loop
    loop.stop()
    loop.join()


def job(id: int, work: int, deadline: float | None = None) -> Job:
    return Job(id, work, submitted=0.0, deadline=deadline)


def test_every_step_comes_out_in_one_delivery(loop: StepLoop, outbox: Outbox) -> None:
    loop.add(1, CountingLane())
    loop.submit(1, job(5, 2))
    assert outbox.next() == [Output(5, items=[1])]
    assert outbox.next() == [Output(5, items=[0], done=True)]
    assert loop.steps == 2


def test_a_job_that_can_never_run_fails_at_once(loop: StepLoop, outbox: Outbox) -> None:
    loop.add(1, CountingLane())
    loop.submit(1, job(5, 0))
    [output] = outbox.next()
    assert output.done
    assert output.problem is not None
    assert output.problem.code == "out_of_memory"


def test_lanes_take_turns(outbox: Outbox) -> None:
    ticks = count()
    loop = StepLoop(outbox, clock=lambda: float(next(ticks)))  # every step takes one second
    order: list[str] = []
    long, short = CountingLane("long", order), CountingLane("short", order)
    long.gate.clear()  # until the short one is there, too
    loop.add(1, long)
    loop.add(2, short)
    loop.submit(1, job(1, 100))
    loop.submit(2, job(2, 3))
    long.gate.set()
    while [output.job_id for output in outbox.next() if output.done] != [1]:
        pass
    loop.stop()
    loop.join()
    first = order.index("short")
    assert order[first : first + 5] == ["short", "long", "short", "long", "short"]


def test_the_parts_of_each_step_sum_to_it(outbox: Outbox) -> None:
    ticks = count()
    loop = StepLoop(outbox, clock=lambda: float(next(ticks)))  # every step takes one second
    lane = SharedLane()
    lane.gate.clear()
    loop.add(1, lane)
    spent = [Spending() for _ in range(3)]
    for id, spending in enumerate(spent):
        loop.submit(1, Job(id, id + 1, 0.0, spending=spending))
    loop.submit(1, Job(3, 1, 0.0))  # nobody counts this one, and it takes its part all the same
    loop.echo(9)
    lane.gate.set()
    while not any(output.job_id == 2 and output.done for output in outbox.next()):
        pass
    loop.stop()
    loop.join()
    # Loads of the steps: 1 2 3 1, 1 2, 1. The first may have begun before all were there.
    assert [one.generated for one in spent] == [2, 4, 6]
    whole = sum(one.microseconds for one in spent)
    assert 2_000_000 < whole <= 1_000_000 * loop.steps
    assert spent[2].microseconds > spent[1].microseconds > spent[0].microseconds > 0


def test_an_echo_comes_after_what_was_asked_before(loop: StepLoop, outbox: Outbox) -> None:
    lane = CountingLane()
    loop.add(1, lane)
    loop.submit(1, job(5, 1 << 40))
    loop.abort(5)
    loop.echo(9)
    while outbox.next() != [Output(9, done=True)]:
        pass
    assert not lane.busy


def test_an_aborted_job_is_not_heard_of_again(loop: StepLoop, outbox: Outbox) -> None:
    lane = CountingLane()
    lane.gate.clear()
    loop.add(1, lane)
    loop.submit(1, job(5, 1000))
    loop.abort(5)
    loop.submit(1, job(6, 1))
    lane.gate.set()
    seen = [outbox.next()]
    while not seen[-1][0].done:
        seen.append(outbox.next())
    assert len([outputs for outputs in seen if outputs[0].job_id == 5]) <= 1  # the step under way
    assert seen[-1] == [Output(6, items=[0], done=True)]


def test_a_deadline_ends_a_job_wherever_it_is(loop: StepLoop, outbox: Outbox) -> None:
    loop.add(1, CountingLane())
    loop.submit(1, job(1, 1 << 40, deadline=time.monotonic() + 0.05))
    loop.submit(1, job(2, 5, deadline=time.monotonic() - 1))  # waits behind it, late already
    late: list[int] = []
    while len(late) < 2:
        late += [output.job_id for output in outbox.next() if output.problem is not None]
    assert late == [2, 1]
    loop.submit(1, job(3, 1))
    while outbox.next() != [Output(3, items=[0], done=True)]:
        pass


def test_a_removed_lane_is_gone_when_its_ticket_comes(loop: StepLoop, outbox: Outbox) -> None:
    loop.add(1, CountingLane())
    loop.remove(1, ticket=9)
    assert outbox.next() == [Output(9, done=True)]


def test_busy_means_that_steps_must_grow(loop: StepLoop, outbox: Outbox) -> None:
    lane = CountingLane()
    loop.add(1, lane)
    lane.gate.clear()
    loop.submit(1, job(1, 1))
    until(lambda: loop.busy)
    assert loop.steps == 0
    lane.gate.set()
    outbox.next()
    until(lambda: not loop.busy)
    assert loop.steps == 1


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.001)


def test_stopping_ends_with_shutting_down(outbox: Outbox) -> None:
    loop = StepLoop(outbox)
    loop.stop()
    loop.join()
    assert outbox.ends.get(timeout=PATIENCE).code == "shutting_down"
    assert loop.failure is None


def test_an_error_of_a_step_ends_the_thread_and_says_why(outbox: Outbox) -> None:
    loop = StepLoop(outbox)
    loop.add(1, BrokenLane())
    loop.submit(1, job(1, 1))
    problem = outbox.ends.get(timeout=PATIENCE)
    loop.join()
    assert problem.code == "internal_error"
    assert "the device is gone" in problem.message
    assert loop.failure == "RuntimeError: the device is gone"


def test_accounts_that_do_not_balance_end_the_thread(outbox: Outbox) -> None:
    loop, lane = StepLoop(outbox), CountingLane()
    lane.unbalanced = True
    loop.add(1, lane)
    loop.submit(1, job(1, 1))
    assert outbox.ends.get(timeout=PATIENCE).code == "internal_error"
    loop.join()
    assert loop.failure == "AssertionError: unbalanced"
