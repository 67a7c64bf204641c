"""Passwords: argon2id, a few at a time, and the same work for those who do not exist.

Each check takes tens of milliseconds and megabytes on purpose; so only a few run at once and only
some may wait, and a flood of sign-ins takes neither the processors nor the memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from llmaas_server.errors import Problem

MEMORY_KIB = 19_456
PASSES = 2
LANES = 1
"""As OWASP advises for argon2id: 19 MiB, two passes, one lane."""

AT_ONCE = 2
MOST_WAITING = 16
RETRY_SECONDS = 1.0

T = TypeVar("T")


class Passwords:
    """Hashes and checks passwords in threads of its own."""

    def __init__(self, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=LANES)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._inside = 0
        self._nobodys = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """What is kept of a password. Raises Problem `overloaded`."""
        return await self._run(lambda: self._hasher.hash(password))

    async def check(self, password: str, kept: str | None) -> bool:
        """Whether this is the password that `kept` is the hash of; None takes as long, and is
        no. Raises Problem `overloaded`.
        """
        matches = await self._run(lambda: self._matches(password, kept or self._nobodys))
        return matches and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether a hash was made with other costs than those that hold now."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        self._threads.shutdown()

    def _matches(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (Argon2Error, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._inside >= AT_ONCE + MOST_WAITING:
            raise Problem(
                "overloaded", "too many passwords are being checked", retry_after=RETRY_SECONDS
            )
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._inside -= 1
