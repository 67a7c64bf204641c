"""What a model puts around its sentences: prefaces, marks of lists and type, signs of a loop."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from llmaas_server.tasks.text import words
from llmaas_server.tasks.text.content import content_words

_PREFACE = re.compile(
    r"^(?:(?:here(?:'s| is| are)|sure|certainly|of course)\b[^\n:]{0,120}:|"
    r"(?:\*\*)?(?:summary|headline|title)(?:\*\*)?\s*:(?:\*\*)?)\s*",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^(?:[-*•–]|\d{1,2}[.)])\s+")
_HEADING = re.compile(r"^#{1,6}\s+")
_NAME = re.compile(r"^Documents? \d+(?:(?:,| and) \d+)*:\s*")
_EMPHASIS = re.compile(r"\*\*")
_NUMBER = re.compile(r"\d+")
_SPACE_BEFORE = re.compile(r"(?<=\w) +(?=[.,](?:\s|$))")
_SPACES = re.compile(r"\s+")
_LEAD_IN = re.compile(r"[:：]$")
_QUOTES = "\"'“”‘’«»「」『』"
_CLAUSE = re.compile(r"[,;:，；：]\s*|\s[–—-]\s")

LOOP = 0.5
"""Share of different triples of words below which a sentence turns in circles."""
LOOP_WORDS = 12
ALIKE = 0.8
"""Share of words that two sentences have in common, from which one says nothing new."""
HEADLINE_WORDS = 20
SHORTEST_CLAUSE = 4


def tidy(sentence: str, *, first: bool) -> str:
    """The sentence alone; empty where it was only to lead to a list."""
    sentence = _HEADING.sub("", _LIST_MARK.sub("", sentence))
    sentence = _NAME.sub("", _EMPHASIS.sub("", sentence))
    if first:
        sentence = _PREFACE.sub("", sentence)
    sentence = _SPACE_BEFORE.sub("", _SPACES.sub(" ", sentence)).strip()
    return "" if _LEAD_IN.search(sentence) else sentence


def headline(sentence: str) -> str:
    """Of a sentence that is long for a headline, the clauses that fit."""
    sentence = _bare(sentence)
    if words.count(sentence) <= HEADLINE_WORDS:
        return sentence
    for clause in reversed(list(_CLAUSE.finditer(sentence))):
        start = sentence[: clause.start()]
        if SHORTEST_CLAUSE <= words.count(start) <= HEADLINE_WORDS:
            return start
    return words.cut(sentence, HEADLINE_WORDS)


def _bare(sentence: str) -> str:
    """Without quotes around the whole."""
    inner = sentence.strip(_QUOTES)
    quoted = len(sentence) - len(inner) >= 2 and not any(mark in inner for mark in _QUOTES)
    return inner if quoted and inner else sentence


def loops(sentence: str) -> bool:
    """Whether the same few words come back again and again."""
    units = words.units(sentence.lower())
    if len(units) < LOOP_WORDS:
        return False
    triples = Counter(zip(units, units[1:], units[2:], strict=False))
    return len(triples) < LOOP * triples.total()


def says_again(sentence: str, before: Iterable[str]) -> bool:
    """Whether the sentence has about the same words, and the same numbers, as one before it."""
    own, numbers = _content(sentence), _NUMBER.findall(sentence)
    return any(
        numbers == _NUMBER.findall(other) and _alike(own, _content(other)) for other in before
    )


def _content(sentence: str) -> frozenset[str]:
    return frozenset(content_words(sentence) or words.units(sentence.lower()))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= ALIKE * max(1, len(one | other))
