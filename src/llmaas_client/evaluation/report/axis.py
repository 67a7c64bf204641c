"""Where the marks of an axis stand."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values over a range of pixels."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """In pixels; what lies outside is drawn at the edge."""
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        step = _step(self.high - self.low)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]

    @classmethod
    def around(
        cls, values: list[float], start: float, end: float, within: tuple[float, float]
    ) -> Axis:
        """One that has all values on it, with even ends, and does not leave what is possible."""
        low, high = min(values), max(values)
        step = _step(max(high - low, 1e-3))
        low = max(within[0], math.floor(low / step + 1e-9) * step)
        high = min(within[1], math.ceil(high / step - 1e-9) * step)
        if high - low < step / 2:
            low, high = max(within[0], low - step), min(within[1], high + step)
        return cls(low, high, start, end)


def _step(width: float) -> float:
    """1, 2 or 5 times a power of ten, so that about five of them fill the width."""
    rough = width / 5
    size = 10.0 ** math.floor(math.log10(rough))
    return next(size * times for times in (1, 2, 5, 10) if size * times >= rough * 0.999)
