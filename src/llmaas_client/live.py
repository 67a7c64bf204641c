"""A stream that is shown while it comes: in the output of a cell, or in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

from .display import clean
from .steps import Event
from .wire.events import Delta, Progress

STOPPED = "stopped"


class Screen(Protocol):
    """Where it is shown."""

    def add(self, text: str) -> None: ...

    def note(self, progress: Progress) -> None: ...

    def end(self, note: str) -> None:
        """Nothing more comes. `note` says why, where it was not whole."""


class Output:
    """Standard output: text as it comes."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._said = False

    def add(self, text: str) -> None:
        self._said = True
        sys.stdout.write(clean(text) if self._is_terminal else text)
        sys.stdout.flush()

    def note(self, progress: Progress) -> None:
        if self._is_terminal:
            sys.stderr.write(f"\r\x1b[2K{clean(progress.stage)} {progress.done}/{progress.total}")
            if progress.done >= progress.total:
                sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def end(self, note: str) -> None:
        if self._said or note:
            sys.stdout.write(f" ({note})\n" if note else "\n")
            sys.stdout.flush()


class Cell:
    """The output of a cell: one bubble that grows."""

    def __init__(self, now: Callable[[], float]) -> None:
        from .notebook import Spot

        self._spot = Spot(now)
        self._text = ""
        self._note = "…"

    def add(self, text: str) -> None:
        self._text += text
        self._draw()

    def note(self, progress: Progress) -> None:
        self._note = f"{progress.stage} {progress.done}/{progress.total}"
        self._draw()

    def end(self, note: str) -> None:
        self._note = note
        self._draw(at_once=True)

    def _draw(self, *, at_once: bool = False) -> None:
        from .html.talk import growing

        self._spot.draw(lambda: growing(self._text, note=self._note), at_once=at_once)


class Showing:
    """Feeds a screen with the events of a stream. Leaving its block early is told there."""

    def __init__(self, now: Callable[[], float]) -> None:
        from .notebook import in_notebook

        self._screen: Screen = Cell(now) if in_notebook() else Output()

    def see(self, event: Event) -> None:
        if isinstance(event, Delta) and event.choice == 0:
            self._screen.add(event.text)
        elif isinstance(event, Progress):
            self._screen.note(event)

    def __enter__(self) -> Showing:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._screen.end("")
        elif issubclass(kind, Exception):
            self._screen.end("interrupted")
        else:
            self._screen.end(STOPPED)
