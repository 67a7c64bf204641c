"""How far a map has come, and where that is shown: a line in a terminal, a bar in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

PAUSE_SECONDS = 0.1
"""Between two pictures of the same map."""


@dataclass(frozen=True, slots=True)
class MapProgress:
    """What `progress=` is called with, after each request."""

    done: int
    """Inputs that have a value."""
    failed: int
    resumed: int
    """Values that were in the checkpoint; a part of `done`."""
    total: int | None
    """None where the inputs do not say how many they are."""
    seconds: float
    concurrency: int
    """Requests that may be under way at once."""
    retries: int

    @property
    def rate(self) -> float:
        """Inputs per second of this run."""
        fresh = self.done + self.failed - self.resumed
        return fresh / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Until the end, if it goes on like this; None where that cannot be said."""
        if self.total is None or self.rate == 0:
            return None
        return (self.total - self.done - self.failed) / self.rate

    def __str__(self) -> str:
        at = self.done + self.failed
        of = f" of {self.total} ({at / self.total:.0%})" if self.total else ""
        failed = f", {self.failed} failed" if self.failed else ""
        left = self.seconds_left
        wait = f", {_duration(left)} left" if left else ""
        return f"{at}{of}{failed}, {self.rate:.1f}/s{wait}"


OnProgress: TypeAlias = Callable[[MapProgress], None]


class Display(Protocol):
    """Where progress goes."""

    def show(self, progress: MapProgress, *, is_last: bool) -> None: ...


class Nowhere:
    """Nobody looks."""

    def show(self, progress: MapProgress, *, is_last: bool) -> None:
        pass


class Callback:
    """A function of the caller's."""

    def __init__(self, function: OnProgress) -> None:
        self._function = function

    def show(self, progress: MapProgress, *, is_last: bool) -> None:
        if not is_last:  # it was told of the last request already
            self._function(progress)


class Line:
    """One line of a terminal, written over and over."""

    def __init__(self, task: str, now: Callable[[], float]) -> None:
        self._task = task
        self._now = now
        self._shown_at = float("-inf")

    def show(self, progress: MapProgress, *, is_last: bool) -> None:
        now = self._now()
        if is_last or now - self._shown_at >= PAUSE_SECONDS:
            self._shown_at = now
            end = "\n" if is_last else ""
            sys.stderr.write(f"\r\x1b[2K{self._task}: {progress}{end}")
            sys.stderr.flush()


def display_for(wanted: bool | OnProgress, task: str, now: Callable[[], float]) -> Display:
    """A callback, a notebook's output, a terminal's line, or nothing where nobody looks."""
    if callable(wanted):
        return Callback(wanted)
    if not wanted:
        return Nowhere()
    from llmaas_client.notebook import Bar, in_notebook

    if in_notebook():
        return Bar(task, now)
    return Line(task, now) if sys.stderr.isatty() else Nowhere()


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
