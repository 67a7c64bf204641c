"""Answers above a threshold: how many they are, and how wrong at most."""

from __future__ import annotations

import math

import numpy as np

from llmaas_client.wire.operating import CONFIDENCE, Operating

from .calibration import Bools
from .logistic import Floats

MOST_POINTS = 200


def operating_points(confidences: Floats, correct: Bools) -> list[Operating]:
    """Thresholds that a caller may want, the lowest first.

    A point that withholds more answers than another and has no better bound is left out.
    """
    order = np.argsort(-confidences, kind="stable")
    scores, wrong = confidences[order], np.cumsum(~correct[order])
    # Equal scores are answered or withheld together.
    ends = np.flatnonzero(np.append(scores[1:] < scores[:-1], True))
    if len(ends) > MOST_POINTS:
        ends = ends[np.linspace(0, len(ends) - 1, MOST_POINTS).astype(np.int64)]
    points: list[Operating] = []
    best = math.inf
    for end in reversed(ends.tolist()):
        answers, errors = end + 1, int(wrong[end])
        bound = upper_bound(errors, answers)
        if bound < best:
            best = bound
            points.append(
                Operating(
                    threshold=float(scores[end]),
                    coverage=answers / len(scores),
                    error=errors / answers,
                    error_bound=bound,
                )
            )
    return points


def upper_bound(errors: int, answers: int) -> float:
    """The largest rate that makes so few errors no more unlikely than 1 - CONFIDENCE.

    One-sided, by Clopper and Pearson (1934).
    """
    if errors >= answers:
        return 1.0
    low, high = errors / answers, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if at_most(errors, answers, middle) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def at_most(errors: int, answers: int, rate: float) -> float:
    """The probability of at most so many errors, where each answer is wrong at this rate."""
    if rate <= 0.0:
        return 1.0
    if rate >= 1.0:
        return float(errors >= answers)
    odds = math.log(rate) - math.log1p(-rate)
    counts = np.arange(1, errors + 1, dtype=np.float64)
    steps = np.log((answers - counts + 1) / counts) + odds
    terms = answers * math.log1p(-rate) + np.concatenate(([0.0], np.cumsum(steps)))
    largest = float(terms.max())
    return min(1.0, math.exp(largest) * float(np.exp(terms - largest).sum()))


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    share = hits / count
    centre = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    whole = 1 + z * z / count
    return max(0.0, (centre - spread) / whole), min(1.0, (centre + spread) / whole)
