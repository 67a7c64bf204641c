"""The engine's one thread: it owns all lanes and steps them in turn. No torch here."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol

from llmaas_server.errors import Problem
from llmaas_server.seam.division import divide

from .lane import Job, Lane, Output
from .request import Token
from .turns import Turns

log = logging.getLogger(__name__)


class Outlet(Protocol):
    """Where the thread leaves what it did. Called from the thread; must not block."""

    def deliver(self, outputs: list[Output]) -> None:
        """What one step brought: all of it at once."""

    def end(self, problem: Problem) -> None:
        """The thread is ending: every job that has no end yet fails with `problem`."""


class StepLoop:
    """An inbox of commands, and steps of whichever lane has had the least time.

    Every public method is safe to call from any thread, and returns at once. An exception out of
    a lane's step ends the thread for good: memory and device may be in any state, so the process
    is to be replaced. `failure` then says why, and all jobs fail with `internal_error`.
    """

    def __init__(self, outlet: Outlet, clock: Callable[[], float] = time.monotonic) -> None:
        self.steps = 0
        """Steps done; grows wherever there is work, or the thread hangs."""
        self.busy = False
        """False while the thread waits for work."""
        self.failure: str | None = None
        self._outlet = outlet
        self._clock = clock
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lanes: dict[int, Lane] = {}
        self._jobs: dict[int, tuple[int, Job]] = {}  # job id -> its lane's key, and the job
        self._turns = Turns()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="llmaas-engine", daemon=True)
        self._thread.start()

    def add(self, key: int, lane: Lane) -> None:
        """Take a lane, known by `key` from now on."""
        self._inbox.put(lambda: self._lanes.update({key: lane}))

    def remove(self, key: int, ticket: int) -> None:
        """Drop a lane that has no jobs; an output for the job id `ticket` says that it is done."""
        self._inbox.put(lambda: self._remove(key, ticket))

    def submit(self, key: int, job: Job) -> None:
        self._inbox.put(lambda: self._submit(key, job))

    def abort(self, job_id: int) -> None:
        """Free what the job holds before the next step; no error where it has ended."""
        self._inbox.put(lambda: self._abort(job_id))

    def echo(self, ticket: int) -> None:
        """An output for the job id `ticket` says that all commands before this one are done."""
        self._inbox.put(lambda: self._outlet.deliver([Output(ticket, done=True)]))

    def stop(self) -> None:
        """End the thread after its step; the jobs that are left fail with `shutting_down`."""
        self._inbox.put(self._stop)

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        problem = Problem("shutting_down")
        try:
            while not self._stopping:
                self._read_inbox()
                self._expire(self._clock())
                self._step()
        except Exception as error:
            log.exception("the engine's thread failed")
            self.failure = f"{type(error).__name__}: {error}"
            problem = Problem("internal_error", f"the engine failed: {self.failure}")
        self._lanes.clear()
        self._outlet.end(problem)

    def _read_inbox(self) -> None:
        """Follow all commands; wait for one where there is nothing else to do."""
        if not any(lane.busy for lane in self._lanes.values()):
            self.busy = False
            command = self._inbox.get()
            self.busy = True
            command()
        while not self._inbox.empty():
            self._inbox.get()()

    def _expire(self, now: float) -> None:
        late = [
            job.id
            for _, job in self._jobs.values()
            if job.deadline is not None and job.deadline <= now
        ]
        for job_id in late:
            self._abort(job_id)
        if late:
            problem = Problem("deadline_exceeded")
            self._outlet.deliver([Output(id, done=True, problem=problem) for id in late])

    def _step(self) -> None:
        key = self._turns.next(key for key, lane in self._lanes.items() if lane.busy)
        if key is None:
            return
        lane = self._lanes[key]
        started = self._clock()
        outputs = lane.step()
        seconds = self._clock() - started
        self._turns.charge(key, seconds)
        lane.meter.stepped(seconds)
        self.steps += 1
        self._count(lane, outputs, started, round(seconds * 1_000_000))
        for output in outputs:
            if output.done:
                self._jobs.pop(output.job_id, None)
        if outputs:
            self._outlet.deliver(outputs)
        if not lane.busy:
            lane.check()

    def _count(self, lane: Lane, outputs: list[Output], started: float, microseconds: int) -> None:
        """Note what each job of a step has spent; the parts of the time sum to the step."""
        loads = lane.loads
        if loads:
            for job_id, part in zip(loads, divide(microseconds, [*loads.values()]), strict=True):
                job = self._jobs[job_id][1]
                if job.spending is not None:
                    job.spending.microseconds += part
                if job.timeline is not None:
                    job.timeline.begin(started)
        for output in outputs:
            if spending := self._jobs[output.job_id][1].spending:
                spending.generated += sum(isinstance(item, Token) for item in output.items)

    def _submit(self, key: int, job: Job) -> None:
        try:
            self._lanes[key].submit(job)
        except Problem as problem:
            self._outlet.deliver([Output(job.id, done=True, problem=problem)])
        else:
            self._jobs[job.id] = key, job

    def _abort(self, job_id: int) -> None:
        if job_id not in self._jobs:
            return
        key, _ = self._jobs.pop(job_id)
        lane = self._lanes[key]
        lane.abort(job_id)
        if not lane.busy:
            lane.check()

    def _remove(self, key: int, ticket: int) -> None:
        self._lanes.pop(key).check()
        self._outlet.deliver([Output(ticket, done=True)])

    def _stop(self) -> None:
        self._stopping = True
