"""A page as Markdown, its plots in files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .document import Block, Document, Drawing, Grid, Heading, Paragraph, Points

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")


def text(document: Document) -> str:
    lines = [f"# {_plain(document.title)}", ""]
    for block in document.blocks:
        lines += [*_block(block), ""]
    return "\n".join(lines)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(words):
            yield f"## {_plain(words)}"
        case Paragraph(words):
            yield _plain(words)
        case Points(points):
            yield from (f"- {_plain(point)}" for point in points)
        case Drawing(name, _, caption):
            yield f"![{_plain(caption)}]({name}.svg)"
        case Grid(header, rows, words, lead):
            if lead:
                yield from (_plain(lead), "")
            marks = [":---" if column in words else "---:" for column in range(len(header))]
            yield _row(map(_plain, header))
            yield _row(marks)
            yield from (_row(map(_plain, row)) for row in rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(words: str) -> str:
    """Words that mean nothing to Markdown, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(words.split()))
