"""Figures with 95 % intervals. Plain Python: the light client brings no numpy."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Z = 1.96
"""Of the normal distribution, two-sided 95 %."""
RESAMPLES = 1000
WORK = 4_000_000
"""Most draws of one bootstrap: of very many values fewer resamples are taken."""
FEWEST_RESAMPLES = 100


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where it lies with 95 % confidence."""

    value: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        return not self.low <= value <= self.high


def wilson(hits: int, count: int) -> Interval:
    """A share (Wilson, 1927). `count` is above 0."""
    share = hits / count
    centre = share + Z * Z / (2 * count)
    spread = Z * math.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
    whole = 1 + Z * Z / count
    # At the ends of the scale the formula is exact, and its rounding is not.
    low = 0.0 if hits == 0 else max(0.0, (centre - spread) / whole)
    high = 1.0 if hits == count else min(1.0, (centre + spread) / whole)
    return Interval(share, low, high)


def resamples(count: int) -> int:
    """How many a bootstrap over so many values takes."""
    return max(FEWEST_RESAMPLES, min(RESAMPLES, WORK // max(count, 1)))


def mean(values: Sequence[float], seed: int = 0) -> Interval:
    """A mean with the percentile interval of the bootstrap over `values`, of which there is one
    at least. For differences of pairs this is the paired bootstrap."""
    low, high = bounds(lambda chosen: math.fsum(chosen) / len(chosen), values, seed)
    return Interval(math.fsum(values) / len(values), low, high)


def bounds(
    figure: Callable[[Sequence[float]], float], values: Sequence[float], seed: int = 0
) -> tuple[float, float]:
    """Between which quantiles the figure of resampled values lies."""
    chance = random.Random(seed)
    count = len(values)
    found = sorted(figure(chance.choices(values, k=count)) for _ in range(resamples(count)))
    return quantile(found, 0.025), quantile(found, 0.975)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Of sorted values, by linear interpolation between neighbours."""
    place = share * (len(ordered) - 1)
    below, above = math.floor(place), math.ceil(place)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
