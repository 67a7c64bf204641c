"""A pace for the fake backend that a test in another thread sets."""

from __future__ import annotations

import asyncio

from llmaas_server.seam.values import Call


class Turnstile:
    """Lets one event of any call through for each `let`."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(0)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, call: Call) -> None:
        self._loop = asyncio.get_running_loop()
        await self._turns.acquire()

    @property
    def reached(self) -> bool:
        """Whether a call has come this far."""
        return self._loop is not None

    def let(self, count: int = 1) -> None:
        """May be called from any thread, once the turnstile is reached."""
        assert self._loop is not None, "no call is here yet"
        for _ in range(count):
            self._loop.call_soon_threadsafe(self._turns.release)
