"""A page before it is drawn: headings, words, tables, plots. Plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .svg import Plot


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences."""

    points: Sequence[str]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of figures, which stand right, and of words."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[int] = (0,)
    """The columns that have words in them."""
    lead: str = ""
    """A sentence before it."""
    detail: bool = False
    """Whether it is left to the files, and not shown in a terminal."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A plot with the name of its file, and what it shows in a sentence."""

    name: str
    plot: Plot
    caption: str


Block: TypeAlias = Heading | Paragraph | Points | Grid | Drawing


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    blocks: Sequence[Block]

    @property
    def drawings(self) -> list[Drawing]:
        return [block for block in self.blocks if isinstance(block, Drawing)]


def share(value: float) -> str:
    return f"{value:.1%}"
