"""Time and chance, kept in one object so that tests can bring their own."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass


class Clock:
    """The machine's own time. A test passes a subclass that stands still and never sleeps."""

    def now(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970, for dates that servers send."""
        return time.time()

    def random(self) -> float:
        """A number from 0 to 1, for jitter."""
        return random.random()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        import asyncio  # which sync code does without

        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a whole call ends: connecting, waiting, reading and every retry."""

    clock: Clock
    seconds: float | None
    """What the caller allowed; None is forever."""
    at: float | None

    @classmethod
    def after(cls, seconds: float | None, clock: Clock) -> Deadline:
        return cls(clock, seconds, None if seconds is None else clock.now() + seconds)

    def left(self) -> float | None:
        """Seconds that remain, 0 when it is over, None when there is no end."""
        return None if self.at is None else max(0.0, self.at - self.clock.now())

    def over(self) -> bool:
        return self.left() == 0.0

    def allows(self, seconds: float) -> bool:
        """Whether a wait of so many seconds ends before the deadline."""
        left = self.left()
        return left is None or seconds < left
