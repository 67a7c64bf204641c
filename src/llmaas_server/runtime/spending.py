"""What a call spends in the runtime: counted by the engine's thread, while it happens.

A call may have many jobs, made by whatever tasks it starts; all of them find its `Spending` in
the context that they run in, and with it the recorder of what the call did when.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .recording import Recorder


class Spending:
    """Of one call, over all its jobs. Written by the engine's thread, read by anyone."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self.recorder = recorder
        """None where nobody wants to know what it did when."""
        self.microseconds = 0
        """Its shares of the steps that it was part of."""
        self.generated = 0
        """Tokens that were drawn for it."""


_current: ContextVar[Spending | None] = ContextVar("spending", default=None)


@contextmanager
def counted(recorder: Recorder | None = None) -> Iterator[Spending]:
    """Count what is asked of the runtime from here, and from the tasks that are started here."""
    spending = Spending(recorder)
    token = _current.set(spending)
    try:
        yield spending
    finally:
        _current.reset(token)


def current() -> Spending | None:
    """Of the call that is being served; None outside of any."""
    return _current.get()
