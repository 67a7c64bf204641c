"""The door: is there room."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from llmaas_server.errors import Problem

from .pace import Pace


class Gate:
    """Lets no more calls in than the server can hold."""

    def __init__(self, max_queue: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` has seconds and never goes back."""
        self._max_queue = max_queue
        self._pace = Pace(clock)
        self._inside = 0

    @property
    def most(self) -> int:
        """Calls that find a place."""
        return self._max_queue

    @property
    def inside(self) -> int:
        """Calls that hold a place."""
        return self._inside

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Hold a place from here to the end of the call. Raises Problem `overloaded`.

        The place is taken before the call is measured: tokenizing is work, too.
        """
        if self._inside >= self._max_queue:
            raise Problem(
                "overloaded",
                f"{self._inside} calls wait or run, and {self._max_queue} is the most",
                retry_after=self._pace.sent_away(),
            )
        self._inside += 1
        self._pace.admitted()
        try:
            yield
        finally:
            self._inside -= 1
            self._pace.ended()
