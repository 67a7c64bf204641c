"""Plots of two shares against each other, as figures of places; templates draw them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmaas_client.wire.classifiers import ReliabilityBin
from llmaas_client.wire.operating import Operating

SIZE = 240.0
"""Of the square that is plotted in; shares from 0 to 1 fill it."""

LEAST_RADIUS, MOST_RADIUS = 2.0, 6.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A point, from the top left, and what it says."""

    x: float
    y: float
    radius: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    dots: list[Dot]
    lines: list[str]
    """Each the `points` of a polyline."""
    top: float = 1.0
    """The share at the upper edge."""
    size: float = SIZE

    @property
    def is_empty(self) -> bool:
        return not self.dots and not self.lines


def reliability(bins: Sequence[ReliabilityBin]) -> Plot:
    """Confidence to the right, accuracy upwards; a larger dot stands for more examples."""
    most = max((one.examples for one in bins), default=1)
    dots = [
        Dot(
            *_place(one.confidence, one.accuracy),
            round(LEAST_RADIUS + (MOST_RADIUS - LEAST_RADIUS) * one.examples / most, 2),
            f"{one.examples} examples: confidence {one.confidence:.2f}, "
            f"accuracy {one.accuracy:.2f}",
        )
        for one in bins
    ]
    return Plot(dots, [_line([(one.confidence, one.accuracy) for one in bins])] if bins else [])


def selective(operating: Sequence[Operating]) -> Plot:
    """The share of texts that are answered to the right, the errors among them upwards: those
    that were found, and what they are not above with 95 % confidence."""
    if not operating:
        return Plot([], [])
    top = max(0.05, *(one.error_bound for one in operating))
    by_coverage = sorted(operating, key=lambda one: one.coverage)
    found = [(one.coverage, one.error / top) for one in by_coverage]
    bound = [(one.coverage, one.error_bound / top) for one in by_coverage]
    return Plot([], [_line(found), _line(bound)], top)


def _place(x: float, y: float) -> tuple[float, float]:
    return round(SIZE * x, 2), round(SIZE * (1.0 - y), 2)


def _line(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in (_place(*point) for point in points))
