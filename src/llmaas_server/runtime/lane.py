"""What a lane is. The engine's thread owns all lanes of all models and steps them in turn.

No torch here: a lane's unit of work is bounded in tokens, and everything else follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from llmaas_server.errors import Problem
from llmaas_server.seam.lanes import LaneState

from .meter import Meter
from .recording import Timeline
from .spending import Spending


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work for one lane, numbered by the engine.

    `work` is of `runtime.request`: Generation or Scoring for the generate lane, Encoding for the
    encode lane, Generation for seq2seq. The items of a Generation are Token…, then Finished.
    """

    id: int
    work: Any
    submitted: float
    """On the clock of time.monotonic(), as is `deadline`."""
    tenant: str = ""
    deadline: float | None = None
    spending: Spending | None = None
    """Where what it takes is counted."""
    timeline: Timeline | None = None
    """Where it is noted when, for those who want to know."""


@dataclass(frozen=True, slots=True)
class Output:
    """What one step brought for one job."""

    job_id: int
    items: list[Any] = field(default_factory=list)
    done: bool = False
    problem: Problem | None = None
    """Set where the job failed; then it is done."""


class Lane(Protocol):
    """Called from the engine's thread alone; never blocks but for its own arithmetic.

    Made beside the step loop, by `Lane(model, options)` with the loaded model and WorkerOptions.
    The engine itself fails jobs whose deadline is over, and aborts them here.
    """

    @property
    def busy(self) -> bool:
        """Whether `step` has something to do."""

    @property
    def kernels(self) -> str:
        """What computes, for people; any thread may ask for it, and for `weight_bytes`."""

    @property
    def weight_bytes(self) -> int | None:
        """Of the model's weights in memory; None: what was estimated, as they change over."""

    @property
    def loads(self) -> Mapping[int, int]:
        """Tokens that the last step computed for each job: what its time is divided by."""

    @property
    def meter(self) -> Meter:
        """What its steps have done. The lane says what, the loop how long it took."""

    @property
    def state(self) -> LaneState:
        """What runs and waits; any thread may ask for it."""

    def submit(self, job: Job) -> None:
        """Take the job. Raises Problem where it can never run, such as `out_of_memory`."""

    def abort(self, job_id: int) -> None:
        """Free what the job holds; no error where it has ended already."""

    def step(self) -> list[Output]:
        """Do one bounded unit of work. An error of one job is an Output, not an exception."""

    def check(self) -> None:
        """Raise AssertionError where the lane's accounts do not balance; called when idle."""
