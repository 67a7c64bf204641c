"""The door: who is calling, and is there room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llmaas_server.errors import Problem

from .keys import KeyRing

RETRY_SECONDS = 1.0
"""When to ask again at a full server."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling."""

    key_id: str

    @property
    def tenant(self) -> str:
        """An opaque id that fairness goes by."""
        return self.key_id


class Gate:
    """Lets known callers in, and no more calls than the server can hold."""

    def __init__(self, keys: KeyRing, max_queue: int) -> None:
        self._keys = keys
        self._max_queue = max_queue
        self._inside = 0

    @property
    def inside(self) -> int:
        """Calls that hold a place."""
        return self._inside

    def identify(self, authorization: str | None) -> Principal:
        """Who sent this `Authorization` header. Raises Problem `missing_key`, `invalid_key`."""
        scheme, _, key = (authorization or "").partition(" ")
        if not authorization or not key:
            raise Problem("missing_key")
        key_id = self._keys.find(key.strip()) if scheme.lower() == "bearer" else None
        if key_id is None:
            raise Problem("invalid_key")
        return Principal(key_id)

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
