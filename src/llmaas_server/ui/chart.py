"""Charts as figures of places and sizes; templates draw them as SVG, with a table beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 720.0
HEIGHT = 160.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A value and what it is of."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """A bar in its place; the origin is the top left."""

    name: str
    value: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class BarChart:
    bars: list[Drawn]
    most: float
    width: float = WIDTH
    height: float = HEIGHT

    @property
    def is_empty(self) -> bool:
        return self.most == 0


def bars(values: Sequence[Bar]) -> BarChart:
    """Bars side by side, the highest as high as the chart."""
    most = max((bar.value for bar in values), default=0.0)
    step = WIDTH / max(1, len(values))
    drawn = []
    for number, bar in enumerate(values):
        height = round(HEIGHT * bar.value / most, 2) if most else 0.0
        drawn.append(
            Drawn(
                bar.name,
                bar.value,
                round(number * step + step * 0.1, 2),
                round(HEIGHT - height, 2),
                round(step * 0.8, 2),
                height,
            )
        )
    return BarChart(drawn, most)
