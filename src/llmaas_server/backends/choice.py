"""Which of several workers takes a call. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

AFFINITY_SLACK = 4
"""A worker that may know the beginning of a prompt is preferred while it runs at most so many
calls more than the least loaded one: reading the prompt again would cost less than waiting."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the choice goes by."""

    name: str
    ready: bool
    running: int
    """Calls measured or running."""
    resident: bool
    """Whether the worker holds the call's model."""
    restarts: int


def choose(candidates: Sequence[Candidate], preferred: str | None = None) -> str:
    """The name of the worker to take, of at least one.

    Ready ones first, then the least loaded, then those that hold the model; of equals the first,
    so that a lone caller stays with one worker. Where none is ready, the one that ended least
    often. `preferred` goes before load within AFFINITY_SLACK.
    """
    best = min(candidates, key=_order)
    for candidate in candidates:
        if candidate.name == preferred and candidate.ready:
            return preferred if candidate.running - best.running <= AFFINITY_SLACK else best.name
    return best.name


def _order(candidate: Candidate) -> tuple[bool, int, int, bool]:
    return (
        not candidate.ready,
        0 if candidate.ready else candidate.restarts,
        candidate.running,
        not candidate.resident,
    )
