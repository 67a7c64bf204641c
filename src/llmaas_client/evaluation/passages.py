"""Words and sentences of a text, for what summaries are held against. Plain rules: a border that is
missed costs a baseline one long sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_BORDER = re.compile(
    rf"""(?<=[.!?…])["'”’)\]]*\s+(?=["'“‘(\[]*[A-Z0-9{_UNSPACED}])   # The end. Another one
    | [。！？]+[」』”’）]*                                            # 完了。又一句
    | \s*\n\s*""",
    re.VERBOSE,
)
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|cf|No)|\b[A-Z])\.$")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text and how many words it has."""

    text: str
    words: int


def count(text: str) -> int:
    """Words; characters of Chinese and Japanese."""
    return sum(1 for _ in _WORD.finditer(text))


def first_words(text: str, most: int) -> str:
    """The beginning of a text, so many words long."""
    end = 0
    for number, word in enumerate(_WORD.finditer(text), start=1):
        if number > most:
            break
        end = word.end()
    return text[:end]


def sentences(text: str) -> list[Passage]:
    """In their order, without what is empty."""
    pieces: list[str] = []
    start = 0
    for border in _BORDER.finditer(text):
        piece = text[start : border.end()]
        if "\n" not in border[0] and _ABBREVIATION.search(piece.rstrip()):
            continue
        pieces.append(piece)
        start = border.end()
    pieces.append(text[start:])
    return [Passage(piece.strip(), count(piece)) for piece in pieces if piece.strip()]
