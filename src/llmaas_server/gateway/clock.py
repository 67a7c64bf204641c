"""Clocks, in microseconds; made here and passed down, so that tests can have their own."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]

SECOND = 1_000_000
MINUTE = 60 * SECOND


def wall() -> int:
    """Microseconds since 1970 UTC: for what is written down."""
    return time.time_ns() // 1000


def monotonic() -> int:
    """Microseconds that never go back: for what is measured."""
    return time.monotonic_ns() // 1000
