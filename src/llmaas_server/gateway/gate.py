"""The door: is there room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llmaas_server.errors import Problem

RETRY_SECONDS = 1.0
"""When to ask again at a full server."""


class Gate:
    """Lets no more calls in than the server can hold."""

    def __init__(self, max_queue: int) -> None:
        self._max_queue = max_queue
        self._inside = 0

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
                retry_after=RETRY_SECONDS,
            )
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
