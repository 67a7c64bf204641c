"""One figure against another, both from 0 to 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .axis import Axis
from .svg import Dot, image, line, marked, number, words

_SIDE = 320
_LEFT, _TOP = 60, 12


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (x, dot), with the line where both are equal, or with the points joined."""

    points: Sequence[tuple[float, Dot]]
    across: str
    """What the axis below shows."""
    up: str
    equal: bool = False
    joined: bool = False
    most: float = 1.0
    """Where the axis at the side ends."""

    def svg(self, title: str) -> str:
        return image(title, _LEFT + _SIDE + 24, _TOP + _SIDE + 48, self._body())

    def _body(self) -> Iterator[str]:
        right, bottom = _LEFT + _SIDE, _TOP + _SIDE
        x, y = Axis(0.0, 1.0, _LEFT, right), Axis(0.0, self.most, bottom, _TOP)
        for tick in x.ticks:
            yield line(x.place(tick), _TOP, x.place(tick), bottom)
            yield words(x.place(tick), bottom + 16, number(tick, True), "middle", "soft")
        for tick in y.ticks:
            yield line(_LEFT, y.place(tick), right, y.place(tick))
            yield words(_LEFT - 6, y.place(tick) + 4, number(tick, True), "end", "soft")
        yield words((_LEFT + right) / 2, bottom + 36, self.across, "middle", "soft")
        turn = f'<g transform="rotate(-90 14 {_TOP + _SIDE / 2:.0f})">'
        yield turn + words(14, _TOP + _SIDE / 2, self.up, "middle", "soft") + "</g>"
        if self.equal:
            yield line(_LEFT, bottom, right, _TOP, "dash")
        places = [(x.place(across), y.place(dot.value)) for across, dot in self.points]
        if self.joined:
            path = " ".join(f"{one:.1f},{two:.1f}" for one, two in places)
            yield f'<polyline class="s0" points="{path}"/>'
        for at, (_, dot) in zip(places, self.points, strict=True):
            interval = line(at[0], y.place(dot.low), at[0], y.place(dot.high), "bar")
            yield from marked(dot, "s0", at, interval, True)
