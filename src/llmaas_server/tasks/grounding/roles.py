"""Who did what to whom: two names that stand around the same verb, the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from llmaas_server.tasks.text.content import content_words
from llmaas_server.tasks.text.stems import stem

from .names import Name

_PASSIVE = re.compile(
    r"\b(?:was|were|is|are|been|being|be|got|gets)\b[^.;]{0,40}\bby\b", re.IGNORECASE
)


def exchanged(sentence: str, named: Sequence[Name], spans: Sequence[str]) -> tuple[str, str] | None:
    """Two names of `sentence` that one of `spans` has in each other's place.

    Alice paid Bob, and Bob paid Alice: what stands between the two has a word in common, neither
    is in the passive voice, and the span has each name once.
    """
    if _PASSIVE.search(sentence):
        return None
    for one, other in combinations([name.text for name in named], 2):
        ours = _between(sentence, one, other)
        for span in spans:
            theirs = _between(span, other, one)
            if ours and theirs and not _PASSIVE.search(span) and set(ours) & set(theirs):
                return one, other
    return None


def _between(text: str, first: str, second: str) -> list[str]:
    """Stems of the words between two names that stand in this order, each of them once."""
    starts, ends = _places(text, first), _places(text, second)
    if len(starts) != 1 or len(ends) != 1 or starts[0][1] >= ends[0][0]:
        return []
    return [stem(word) for word in content_words(text[starts[0][1] : ends[0][0]])]


def _places(text: str, name: str) -> list[tuple[int, int]]:
    found: Iterator[re.Match[str]] = re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    return [match.span() for match in found]
