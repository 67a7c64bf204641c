"""Where results are shown: whether this is a notebook, and what is drawn there while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batch.progress import MapProgress

PAUSE_SECONDS = 0.2
"""Between two pictures."""


def in_notebook() -> bool:
    """Whether there is a front end that shows HTML. IPython is never loaded for this."""
    ipython = sys.modules.get("IPython")
    if ipython is None:
        return False
    shell: Any = ipython.get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None


class Spot:
    """A place in the output of a cell that is drawn anew, without scripts or widgets."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._shown_at = float("-inf")
        self._handle: Any = None

    def draw(self, html: Callable[[], str], *, at_once: bool = False) -> None:
        """Show what `html` makes, unless the last picture is too fresh."""
        now = self._now()
        if not at_once and now - self._shown_at < PAUSE_SECONDS:
            return
        self._shown_at = now
        picture = self._make(html())
        if self._handle is not None:
            self._handle.update(picture)
            return
        self._handle = _ipython().display(picture, display_id=True)

    def _make(self, html: str) -> Any:
        return _ipython().HTML(html)


def _ipython() -> Any:
    """What a notebook brings along; nothing that this package needs."""
    return import_module("IPython.display")


class Bar:
    """How far a map has come."""

    def __init__(self, task: str, now: Callable[[], float]) -> None:
        self._task = task
        self._spot = Spot(now)

    def show(self, progress: MapProgress, *, is_last: bool) -> None:
        self._spot.draw(lambda: self._html(progress), at_once=is_last)

    def _html(self, progress: MapProgress) -> str:
        at = progress.done + progress.failed
        value = f'value="{at}" max="{progress.total}"' if progress.total else ""
        return f"<progress {value}></progress> {escape(self._task)}: {escape(str(progress))}"
