"""A clock that a test moves."""

from __future__ import annotations

NOON = 1_700_000_000_000_000
"""A moment in November 2023, in microseconds since 1970 UTC."""


class ManualClock:
    """Microseconds; stands still until it is told to move."""

    def __init__(self, at: int = NOON) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def advance(self, micros: int) -> None:
        self.at += micros
