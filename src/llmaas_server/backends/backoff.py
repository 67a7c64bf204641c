"""How long to wait before a worker that ended is started again. Pure."""

from __future__ import annotations

_FIRST_SECONDS = 0.1
_MOST_SECONDS = 5.0
_STEADY_SECONDS = 30.0
"""A worker that was ready for so long has proved itself; its end is not part of a series."""


class Backoff:
    """Delays that double with every worker that ended soon."""

    def __init__(self) -> None:
        self.failures = 0
        """Workers in a row that ended soon."""

    def after(self, ready_seconds: float) -> float:
        """The delay after a worker that was ready for so long (0: never)."""
        if ready_seconds >= _STEADY_SECONDS:
            self.failures = 0
        # The exponent is bounded: a server may fail to start its worker for weeks.
        delay = min(_FIRST_SECONDS * (1 << min(self.failures, 16)), _MOST_SECONDS)
        self.failures += 1
        return delay
