"""How many requests may be under way at once: found out, as TCP finds out, by trying.

Additive increase, multiplicative decrease: a round of answers without trouble adds one; a server
that refuses, or lets requests wait longer than it works on them, halves or lowers it. Decisions in
plain data.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .work import MOST_AT_ONCE, Concurrency

FIRST = 4
LONG_QUEUE_SECONDS = 0.5
"""A wait in the server's queue below this is no sign of too many requests."""
GENTLE, HARD = 0.8, 0.5


@dataclass(slots=True)
class Limiter:
    """`limit` requests may be under way."""

    concurrency: Concurrency
    _level: float = field(init=False)
    _cut_at: float = field(default=float("-inf"), init=False)
    """When it was last lowered: what had been sent before says nothing new."""

    def __post_init__(self) -> None:
        fixed = self.concurrency
        self._level = float(FIRST if fixed == "auto" else fixed)

    @property
    def limit(self) -> int:
        return max(1, int(self._level))

    def answered(self, sent_at: float, now: float, queued: float, worked: float) -> None:
        """A request came back; it waited `queued` and was worked on for `worked` seconds."""
        if queued > max(LONG_QUEUE_SECONDS, 2 * worked):
            self._cut(sent_at, now, GENTLE)
        elif self.concurrency == "auto":
            self._level = min(float(MOST_AT_ONCE), self._level + 1 / self._level)

    def refused(self, sent_at: float, now: float) -> None:
        """The server said: not now."""
        self._cut(sent_at, now, HARD)

    def _cut(self, sent_at: float, now: float, factor: float) -> None:
        if sent_at >= self._cut_at:
            self._level = max(1.0, self._level * factor)
            self._cut_at = now
