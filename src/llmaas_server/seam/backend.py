"""The front's view of compute."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .values import (
    BackendStatus,
    Call,
    Event,
    Measurement,
    ModelRef,
    Span,
    Times,
    Usage,
    WorkerStatus,
)


@dataclass(slots=True)
class Tally:
    """What a call has used; final when its run is over, however that ended.

    Where the worker was lost nobody knows, and nothing is counted.
    """

    usage: Usage = field(default_factory=Usage)
    times: Times = field(default_factory=Times)
    spans: Sequence[Span] = ()
    """What the run did when, of a call that is traced."""


class Backend(Protocol):
    """Runs calls. Every implementation passes the contract tests in `tests/server/backends`."""

    async def start(self) -> None:
        """Begin to start; returns without waiting for models or torch to load."""

    async def ready(self) -> None:
        """Return when calls run at once. Raises Problem `starting` where what computes ends again
        and again, and `shutting_down`."""

    async def stop(self, grace: float) -> None:
        """Let running calls end for `grace` seconds, then end them with `shutting_down`."""

    async def measure(self, call: Call) -> Measurement:
        """Tokenize the call and keep the tokens for `run`; loads the model where it must.

        Raises Problem: bad input that only the model can see (`context_overflow`,
        `model_cannot_do_task`, `model_has_no_head`, …), `worker_lost`, `starting`,
        `deadline_exceeded`. A measured call is either run or released.
        """

    def run(self, call_id: str, tally: Tally | None = None) -> AsyncGenerator[Event, None]:
        """Run a measured call: `Accepted` first, a `Result` last.

        Raises Problem instead of the `Result` where the call fails. Closing the generator
        cancels the work within one step of the scheduler, and returns when that is counted
        in `tally`.
        """

    async def release(self, call_id: str) -> None:
        """Forget a measured call that will not be run; no error where there is none."""

    async def load(self, model: ModelRef) -> None:
        """Make the model resident; returns when it is. Raises Problem where it cannot be."""

    async def unload(self, name: str) -> None:
        """Give the model's memory back; no error where it is not resident."""

    def status(self) -> BackendStatus: ...


class Workers(Protocol):
    """The workers behind a backend, as an operator sees and changes them while it serves."""

    def workers(self) -> list[WorkerStatus]: ...

    async def add(self, device: str, threads: int | None = None) -> WorkerStatus:
        """Start one more worker; it takes calls when it is ready.

        `threads` are for arithmetic on the CPU; None is this worker's share of the cores.
        Raises Problem `conflict`, `shutting_down`.
        """

    def drain(self, name: str) -> WorkerStatus:
        """Give the worker no new calls, and end it with its last; draining twice is no error.

        Raises Problem `not_found`; `conflict` where no worker would be left.
        """
