"""How fast calls end, and so when one more finds a place."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

LEAST_SECONDS = 1.0
MOST_SECONDS = 60.0
"""What callers are told at least and at most."""

KEPT = 32
"""Ends of calls that the rate is measured from: few enough to follow a change of the load."""


class Pace:
    """The rate at which calls end, measured from the last of them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` has seconds and never goes back."""
        self._clock = clock
        self._ends: deque[float] = deque(maxlen=KEPT)
        self._waiting = 0
        """Callers sent away since a place was last free: they come back first."""

    def ended(self) -> None:
        """A call has ended."""
        self._ends.append(self._clock())

    def admitted(self) -> None:
        """A caller has found a place."""
        self._waiting = 0

    def sent_away(self) -> float:
        """One more caller finds no place: in how many seconds there will be one for them.

        Those who were sent away before get the places that come free before.
        """
        self._waiting += 1
        if not self._ends:
            return LEAST_SECONDS
        seconds = max(self._clock() - self._ends[0], 1e-6)
        rate = len(self._ends) / seconds
        return min(MOST_SECONDS, max(LEAST_SECONDS, float(math.ceil(self._waiting / rate))))
