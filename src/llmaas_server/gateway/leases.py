"""What runs for a key, so that it can be ended with the key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llmaas_server.errors import Problem
from llmaas_server.storage.values import Owner

from .clock import SECOND, Clock
from .principals import Principal


@dataclass(eq=False, slots=True)
class Lease:
    """One piece of work, in the task that does it."""

    principal: Principal
    task: asyncio.Task[object]
    problem: Problem | None = None

    def cut(self, problem: Problem) -> None:
        """Stop the work; no effect on what was stopped already."""
        if self.problem is None:
            self.problem = problem
            self.task.cancel()


class Leases:
    """All work that runs for keys. One event loop uses it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._leases: set[Lease] = set()

    def __len__(self) -> int:
        return len(self._leases)

    @contextmanager
    def held(self, principal: Principal) -> Iterator[None]:
        """Work for a key: it is stopped, and Problem `invalid_key` raised, when the key ends.

        Belongs into the task that does the work, around it.
        """
        task = asyncio.current_task()
        assert task is not None  # there is always one where something is awaited
        before = task.cancelling()
        lease = Lease(principal, task)
        timer = self._at_expiry(lease)
        self._leases.add(lease)
        try:
            yield
        except asyncio.CancelledError:
            # The caller may have gone away at the same time: then that is what counts.
            if lease.problem is not None and task.uncancel() <= before:
                raise lease.problem from None
            raise
        finally:
            self._leases.discard(lease)
            if timer is not None:
                timer.cancel()

    def keys(self, owner: Owner | None = None) -> set[str]:
        """The keys that work runs for: all of them, or those that belong to an owner."""
        return {
            lease.principal.key_id
            for lease in self._leases
            if owner is None or owner in lease.principal.owners
        }

    def cut(self, key_id: str, problem: Problem) -> None:
        """Stop all work for a key."""
        for lease in [one for one in self._leases if one.principal.key_id == key_id]:
            lease.cut(problem)

    def _at_expiry(self, lease: Lease) -> asyncio.TimerHandle | None:
        expires_at = lease.principal.expires_at
        if expires_at is None:
            return None
        seconds = max(0, expires_at - self._clock()) / SECOND
        end: Callable[[], None] = lambda: lease.cut(expired(lease.principal.key_id))  # noqa: E731
        return asyncio.get_running_loop().call_later(seconds, end)


def expired(key_id: str) -> Problem:
    return Problem("invalid_key", f"{key_id} has expired", hint="Make or rotate a key.")
