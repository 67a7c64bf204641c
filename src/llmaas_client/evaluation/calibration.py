"""How well probabilities keep their word."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from .intervals import Interval, quantile, resamples, wilson

BINS = 15


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of like confidence: how sure they were in the mean, and how often right."""

    rows: int
    lowest: float
    highest: float
    confidence: float
    accuracy: Interval


def bins(confidences: Sequence[float], correct: Sequence[bool]) -> tuple[Bin, ...]:
    """15 bins with as many answers each, the least sure first."""
    order = sorted(range(len(confidences)), key=confidences.__getitem__)
    found: list[Bin] = []
    for start, end in _edges(len(order)):
        part = order[start:end]
        sure = [confidences[index] for index in part]
        hits = sum(correct[index] for index in part)
        found.append(
            Bin(len(part), sure[0], sure[-1], sum(sure) / len(sure), wilson(hits, len(part)))
        )
    return tuple(found)


def calibration_error(
    confidences: Sequence[float], correct: Sequence[bool], seed: int = 0
) -> Interval:
    """The mean distance of confidence and accuracy over 15 bins of equal mass (ECE).

    The interval is that of the basic (reflected) bootstrap and not of its percentiles: resampling
    adds noise to each bin, and the error is a sum of absolute values, so that resamples lie above.
    """
    order = sorted(range(len(confidences)), key=confidences.__getitem__)
    gaps = [confidences[index] - correct[index] for index in order]
    count = len(gaps)
    error = _error(gaps)
    chance = random.Random(seed)
    # Sorted places are sorted confidences: a resample needs no sort of floats by key.
    places = range(count)
    found = sorted(
        _error([gaps[place] for place in sorted(chance.choices(places, k=count))])
        for _ in range(resamples(count))
    )
    low = max(0.0, 2 * error - quantile(found, 0.975))
    high = min(1.0, max(error, 2 * error - quantile(found, 0.025)))
    return Interval(error, min(low, error), high)


def _error(gaps: Sequence[float]) -> float:
    """Of gaps in the order of their confidences."""
    sums = [0.0, *accumulate(gaps)]
    return sum(abs(sums[end] - sums[start]) for start, end in _edges(len(gaps))) / len(gaps)


def _edges(count: int) -> Iterator[tuple[int, int]]:
    """Where each bin starts and ends; the first ones have one more where it does not come out."""
    size, more = divmod(count, BINS)
    start = 0
    for index in range(min(BINS, count)):
        end = start + size + (index < more)
        yield start, end
        start = end
