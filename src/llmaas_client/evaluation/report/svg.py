"""Pieces of SVG: no script, nothing from elsewhere, readable on light and on dark pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from .markup import escaped

WIDTH = 720
LETTER = 6.6
"""Pixels of a letter in the font below, in the mean."""

_RULES = """
.plot .paper {{ fill: {paper}; }} .plot text {{ fill: {ink}; }} .plot text.soft {{ fill: {soft}; }}
.plot line {{ stroke: {line}; }} .plot line.axis, .plot line.dash {{ stroke: {soft}; }}
.plot .s0 circle, .plot circle.s0 {{ fill: {s0}; }} .plot .s0 line {{ stroke: {s0}; }}
.plot polyline {{ stroke: {s0}; }}
.plot .s1 circle, .plot circle.s1 {{ fill: {s1}; }} .plot .s1 line {{ stroke: {s1}; }}
.plot .s2 circle, .plot circle.s2 {{ fill: {s2}; }} .plot .s2 line {{ stroke: {s2}; }}
.plot .flag circle {{ fill: {flag}; }} .plot .flag line {{ stroke: {flag}; }}
""".strip()
_LIGHT = _RULES.format(
    paper="#ffffff", ink="#1f2328", soft="#6e7781", line="#d0d7de",
    s0="#0969da", s1="#bc4c00", s2="#1a7f37", flag="#cf222e",
)  # fmt: skip
_DARK = _RULES.format(
    paper="#0d1117", ink="#e6edf3", soft="#8d96a0", line="#3d444d",
    s0="#4493f8", s1="#f0883e", s2="#3fb950", flag="#ff7b72",
)  # fmt: skip
# Colours are plain and not variables: programs that draw SVG without a browser know no others.
_STYLE = f"""
.plot {{ font: 12px system-ui, sans-serif; max-width: 100%; height: auto; }}
.plot .bar {{ stroke-width: 2; }} .plot .dash {{ stroke-dasharray: 4 3; }}
.plot polyline {{ fill: none; }}
{_LIGHT}
@media (prefers-color-scheme: dark) {{ {_DARK} }}
""".strip()


class Plot(Protocol):
    def svg(self, title: str) -> str:
        """A whole image."""
        ...


@dataclass(frozen=True, slots=True)
class Dot:
    """A figure with its interval."""

    value: float
    low: float
    high: float
    flagged: bool = False


def image(title: str, width: float, height: float, body: Iterable[str]) -> str:
    inside = "\n".join(body)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">\n'
        f"<title>{escaped(title)}</title>\n<style>{_STYLE}</style>\n"
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>\n{inside}\n</svg>'
    )


def words(
    x: float, y: float, text: str, anchor: str = "start", kind: str = "", full: str | None = None
) -> str:
    """A line of text; `full` is told where the mouse rests on it."""
    told = f"<title>{escaped(full)}</title>" if full else ""
    style = f' class="{kind}"' if kind else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{told}{escaped(text)}</text>'
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"{style}/>'


def marked(dot: Dot, kind: str, at: tuple[float, float], ends: str, percent: bool) -> list[str]:
    """A dot with the line of its interval, and its figures where the mouse rests on it."""
    value, low, high = (number(one, percent, 1) for one in (dot.value, dot.low, dot.high))
    return [
        f'<g class="{"flag" if dot.flagged else kind}">',
        f"<title>{value} ({low} to {high})</title>",
        ends,
        f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4"/></g>',
    ]


def number(value: float, percent: bool, more: int = 0) -> str:
    """As an axis shows it, or with more digits."""
    text = f"{100 * value:.{more}f}" if percent else f"{value:.{2 + more}f}"
    text = text if float(text) else text.lstrip("-")
    return f"{text} %" if percent else text
