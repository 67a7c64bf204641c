"""A text taken apart into words that can be left out, and put together without some of them.

Every character but white space is in exactly one word; punctuation belongs to the word that it
stands at. Where a script writes no spaces, a word is what a reader takes for one thing without a
dictionary: an ideograph, a run of katakana or of hiragana, a syllable with its marks; and what is
in another script (2023, iPhone) is a word by itself. What a model reads as one token (今天, to one
that learned Chinese) is not taken apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .words import SPACELESS, is_spaceless

_RUN = re.compile(r"\S+")
_KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_HIRAGANA = "\u3041-\u309f"
_PIECE = re.compile(
    rf"[{_KATAKANA}]+|[{_HIRAGANA}]+|(?:(?![{SPACELESS}])[\w'’.,%-])*(?![{SPACELESS}])\w"
    rf"|[{SPACELESS}]|."
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A word, or neighbouring ones: characters `start` to `end`, the white space after left out."""

    start: int
    end: int


def words_of(text: str, tokens: Collection[int] | None = None) -> list[Unit]:
    """The words of `text`, in order; `tokens` are the places where a model's tokens begin."""
    return [word for run in _RUN.finditer(text) for word in _words(text, run, tokens)]


def grouped(words: Sequence[Unit], most: int) -> list[Unit]:
    """At most `most` units, of as many neighbouring words each as will do."""
    if len(words) <= most:
        return list(words)
    borders = [len(words) * i // most for i in range(most + 1)]
    return [Unit(words[start].start, words[end - 1].end) for start, end in pairwise(borders)]


def without(text: str, units: Sequence[Unit], removed: Collection[int]) -> str:
    """`text` without the units of these numbers, and without the white space after them."""
    kept: list[str] = []
    borders = [0, *(unit.start for unit in units[1:]), len(text)]
    for number, (start, end) in enumerate(pairwise(borders)):
        if number not in removed:
            kept.append(text[start:end])
    whole = "".join(kept)
    # The space after what is the last word now led to one that is gone.
    return whole.rstrip() if len(units) - 1 in removed else whole


def _words(text: str, run: re.Match[str], tokens: Collection[int] | None) -> Iterator[Unit]:
    """The words of what stands between two spaces."""
    if not is_spaceless(run.group()):
        yield Unit(run.start(), run.end())
        return
    start = end = run.start()
    opening = True
    for piece in _PIECE.finditer(text, run.start(), run.end()):
        # Marks and closing punctuation go to the word before, an opening quote to the one after.
        within = tokens is not None and piece.start() not in tokens
        if not (opening or within or _is_attached(text[piece.start()])):
            yield Unit(start, end)
            start = piece.start()
        opening = all(map(_is_opening, text[start : piece.end()]))
        end = piece.end()
    yield Unit(start, end)


def _is_attached(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "M" or (category[0] in "PS" and category not in ("Ps", "Pi", "So"))


def _is_opening(character: str) -> bool:
    return unicodedata.category(character) in ("Ps", "Pi")
