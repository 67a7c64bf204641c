"""The area under the ROC curve (AUC): how often a positive scores above a negative."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from .intervals import Interval, Z


def auc(positives: Sequence[float], negatives: Sequence[float]) -> Interval:
    """The share of pairs that are in order; equal scores count half. Neither may be empty.

    The interval is that of Newcombe (2006, method 5), which keeps its word at 0 and 1, too.
    """
    area = _area(positives, negatives)
    low, high = _bounds(area, len(positives), len(negatives))
    return Interval(area, low, high)


def _area(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Mann and Whitney's U over all pairs, from the sum of the positives' ranks."""
    scores = sorted([(score, 1) for score in positives] + [(score, 0) for score in negatives])
    total = 0.0
    start = 0
    while start < len(scores):
        end = start
        while end < len(scores) and scores[end][0] == scores[start][0]:
            end += 1
        rank = (start + 1 + end) / 2  # the mean of the equal ones
        total += rank * sum(kind for _, kind in scores[start:end])
        start = end
    count = len(positives)
    return (total - count * (count + 1) / 2) / (count * len(negatives))


def _bounds(area: float, positives: int, negatives: int) -> tuple[float, float]:
    """The areas of which `area` is just Z standard errors away."""

    def away(true: float) -> float:
        return abs(area - true) - Z * _error(true, positives, negatives)

    low, high = 0.0, 1.0
    if area > 0.0:
        low = _crossing(away, 0.0, area)
    if area < 1.0:
        high = _crossing(away, 1.0, area)
    return low, high


def _error(area: float, positives: int, negatives: int) -> float:
    """The standard error of an area (Hanley and McNeil 1982, as Newcombe makes it symmetric)."""
    others = (positives + negatives) / 2 - 1
    spread = 1 + others * (1 - area) / (2 - area) + others * area / (1 + area)
    return math.sqrt(area * (1 - area) * spread / (positives * negatives))


def _crossing(away: Callable[[float], float], outside: float, inside: float) -> float:
    """Where `away` falls to 0 between a value that is too far away and one that is not."""
    for _ in range(60):
        middle = (outside + inside) / 2
        if away(middle) > 0:
            outside = middle
        else:
            inside = middle
    return inside
