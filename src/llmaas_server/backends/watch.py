"""Is a worker alive and making progress? Pure: told the time and the pulse, it judges."""

from __future__ import annotations

from llmaas_server.seam.frames import Pulse

_SUSPECT_SHARE = 0.5
"""Of the limit, after which a worker no longer counts as healthy."""


class Watch:
    """Judges one worker.

    It hangs when it sends no pulse for `limit` seconds, or has work and makes no progress for as
    long. Steps, answers and bytes of a model being read are progress, so the limit must be longer
    than the longest single step of the slowest model on the machine.
    """

    def __init__(self, limit: float, now: float) -> None:
        self._limit = limit
        self._looked = now
        self._progress: int | None = None
        self._silent = 0.0
        self._stalled = 0.0

    @property
    def interval(self) -> float:
        """How often to look, in seconds."""
        return min(self._limit / 10, 1.0)

    def hear(self, pulse: Pulse) -> None:
        """The worker has sent a pulse."""
        self._silent = 0.0
        if not pulse.busy or pulse.progress != self._progress:
            self._stalled = 0.0
        self._progress = pulse.progress

    def look(self, now: float) -> None:
        """Let the time until `now` pass.

        At most two intervals count: a front that was itself suspended or busy blames nobody.
        """
        passed = min(now - self._looked, 2 * self.interval)
        self._looked = now
        self._silent += passed
        self._stalled += passed

    @property
    def healthy(self) -> bool:
        return max(self._silent, self._stalled) < self._limit * _SUSPECT_SHARE

    @property
    def verdict(self) -> str | None:
        """Why the worker is to be replaced; None while it is not."""
        if self._silent >= self._limit:
            return f"no sign of life for {self._limit:g} s"
        if self._stalled >= self._limit:
            return f"no progress for {self._limit:g} s"
        return None
