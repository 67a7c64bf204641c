"""Figures with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .axis import Axis
from .svg import LETTER, WIDTH, Dot, image, line, marked, number, words

_NAMES = 210  # pixels for names, left of the axis
_TOP = 12
_ROW = 22
_DEEP = 11  # pixels from one series to the next in a row


@dataclass(frozen=True)
class Dots:
    """A row for each name, and in it a dot for each series; None where there is no figure."""

    names: Sequence[str]
    series: Sequence[tuple[str, Sequence[Dot | None]]]
    unit: str
    """What the axis shows."""
    within: tuple[float, float]
    """The values that are possible."""
    percent: bool = False
    reference: float | None = None
    """Where a dashed line stands."""

    def svg(self, title: str) -> str:
        several = len(self.series) > 1
        bottom = _TOP + self._row * len(self.names)
        height = bottom + (66 if several else 44)
        return image(title, WIDTH, height, self._body(bottom, several))

    @property
    def _row(self) -> int:
        return max(_ROW, _DEEP * len(self.series) + 8)

    @cached_property
    def _axis(self) -> Axis:
        dots = [dot for _, some in self.series for dot in some if dot is not None]
        values = [value for dot in dots for value in (dot.low, dot.high)]
        if self.reference is not None:
            values.append(self.reference)
        return Axis.around(values or [0.0, 1.0], _NAMES, WIDTH - 24, self.within)

    def _body(self, bottom: int, several: bool) -> Iterator[str]:
        yield from self._grid(bottom)
        for index, name in enumerate(self.names):
            middle = _TOP + self._row * (index + 0.5)
            yield _name(name, middle)
            for place, (_, dots) in enumerate(self.series):
                if (dot := dots[index]) is not None:
                    above = place - (len(self.series) - 1) / 2
                    yield from self._dot(dot, place, middle + _DEEP * above)
        if several:
            yield from _legend([name for name, _ in self.series], bottom + 56)

    def _grid(self, bottom: int) -> Iterator[str]:
        axis = self._axis
        for tick in axis.ticks:
            x = axis.place(tick)
            yield line(x, _TOP, x, bottom)
            yield words(x, bottom + 16, number(tick, self.percent), "middle", "soft")
        yield line(axis.start, bottom, axis.end, bottom, "axis")
        if self.reference is not None:
            x = axis.place(self.reference)
            yield line(x, _TOP, x, bottom, "dash")
        yield words((axis.start + axis.end) / 2, bottom + 34, self.unit, "middle", "soft")

    def _dot(self, dot: Dot, place: int, y: float) -> list[str]:
        axis = self._axis
        interval = line(axis.place(dot.low), y, axis.place(dot.high), y, "bar")
        return marked(dot, f"s{place}", (axis.place(dot.value), y), interval, self.percent)


def _name(name: str, y: float) -> str:
    most = int((_NAMES - 14) / LETTER)
    if len(name) <= most:
        return words(_NAMES - 10, y + 4, name, "end")
    return words(_NAMES - 10, y + 4, name[: most - 1] + "…", "end", full=name)


def _legend(names: Sequence[str], y: float) -> Iterator[str]:
    x = float(_NAMES)
    for place, name in enumerate(names):
        yield f'<circle class="s{place}" cx="{x:.1f}" cy="{y - 4:.1f}" r="4"/>'
        yield words(x + 10, y, name)
        x += 30 + LETTER * len(name)
