"""What runs for a key, so that it can be ended with the key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from llmaas_server.errors import Problem
from llmaas_server.storage.values import Owner

from .clock import SECOND, Clock
from .principals import Principal


class Lease:
    """One piece of work, in the task that does it."""

    def __init__(self, principal: Principal, task: asyncio.Task[object]) -> None:
        self.principal = principal
        self._task = task
        self._before = task.cancelling()
        self._problem: Problem | None = None
        self._told = False
        self._timer: asyncio.TimerHandle | None = None

    def cut(self, problem: Problem) -> None:
        """Stop the work; no effect on what was stopped already."""
        if self._problem is None:
            self._problem = problem
            self._task.cancel()

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Where the end of the key can still be told: it is raised here, as Problem
        `invalid_key`, and what follows goes on as after any other error."""
        try:
            yield
        except asyncio.CancelledError:
            if self._problem is None or self._told:
                raise
            self._told = True
            # The caller may have gone away at the same time: then that is what counts.
            if self._task.uncancel() > self._before:
                raise
            raise self._problem from None

    def end_at(self, seconds: float | None) -> None:
        """Cut the work after so long; None is never. Takes the place of an earlier end."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if seconds is not None:
            end = expired(self.principal.key_id)
            self._timer = asyncio.get_running_loop().call_later(seconds, self.cut, end)


class Leases:
    """All work that runs for keys. One event loop uses it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._leases: set[Lease] = set()

    def __len__(self) -> int:
        return len(self._leases)

    @contextmanager
    def held(self, principal: Principal) -> Iterator[Lease]:
        """Work for a key: it is stopped, and Problem `invalid_key` raised, when the key ends.

        Belongs into the task that does the work, around it.
        """
        task = asyncio.current_task()
        assert task is not None  # there is always one where something is awaited
        lease = Lease(principal, task)
        self._leases.add(lease)
        try:
            lease.end_at(self._seconds_left(principal))
            with lease.telling():
                yield lease
        finally:
            self._leases.discard(lease)
            lease.end_at(None)

    def keys(self, owner: Owner | None = None) -> set[str]:
        """The keys that work runs for: all of them, or those that belong to an owner."""
        return {
            lease.principal.key_id
            for lease in self._leases
            if owner is None or owner in lease.principal.owners
        }

    def renew(self, principal: Principal) -> None:
        """The key is still good, and may have another end."""
        for lease in self._of(principal.key_id):
            lease.end_at(self._seconds_left(principal))

    def cut(self, key_id: str, problem: Problem) -> None:
        """Stop all work for a key."""
        for lease in self._of(key_id):
            lease.cut(problem)

    def _of(self, key_id: str) -> list[Lease]:
        return [lease for lease in self._leases if lease.principal.key_id == key_id]

    def _seconds_left(self, principal: Principal) -> float | None:
        if principal.expires_at is None:
            return None
        return max(0, principal.expires_at - self._clock()) / SECOND


def expired(key_id: str) -> Problem:
    return Problem("invalid_key", f"{key_id} has expired", hint="Make or rotate a key.")
