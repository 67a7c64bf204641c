"""When requests are sent."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate, repeat, takewhile

MAX_REQUESTS = 100_000
"""Most requests of one load, whatever its limits say."""
MAX_CONCURRENCY = 1024
"""Most requests under way. Beyond it they wait here, and the wait is part of their latency."""


@dataclass(frozen=True, slots=True)
class Closed:
    """So many clients; each sends its next request when the answer to the last one is whole."""

    concurrency: int

    def __str__(self) -> str:
        return f"{self.concurrency} clients" if self.concurrency > 1 else "1 client"


@dataclass(frozen=True, slots=True)
class Open:
    """Requests that come as they come, whether the server keeps up or not: a Poisson process."""

    rate: float
    """Requests a second, in the mean."""

    def __str__(self) -> str:
        return f"{self.rate:g}/s"


Load = Closed | Open


@dataclass(frozen=True, slots=True)
class Limit:
    """When a load ends: after so many requests, or when so many seconds have passed.

    What is under way then is waited for: leaving the slow ones out would make the rest look good.
    """

    requests: int | None = None
    seconds: float | None = None

    def requests_of(self, load: Load) -> int:
        """Most requests. Without any limit, four for each client or ten seconds' worth."""
        if self.requests is not None:
            return min(self.requests, MAX_REQUESTS)
        if self.seconds is not None:
            return MAX_REQUESTS
        enough = 4 * load.concurrency if isinstance(load, Closed) else round(10 * load.rate)
        return min(max(enough, 8), MAX_REQUESTS)

    def allows(self, load: Load, sent: int, seconds: float) -> bool:
        """Whether another request may be sent, `seconds` after the first."""
        in_time = self.seconds is None or seconds < self.seconds
        return in_time and sent < self.requests_of(load)


NO_LIMIT = Limit()


def arrivals(load: Open, limit: Limit, seed: str) -> list[float]:
    """Seconds after the start at which the requests of an open load are due."""
    chance = random.Random(f"arrivals {seed} {load.rate}")
    gaps = (chance.expovariate(rate) for rate in repeat(load.rate, limit.requests_of(load)))
    times = accumulate(gaps)
    end = limit.seconds
    return list(times if end is None else takewhile(lambda time: time < end, times))
