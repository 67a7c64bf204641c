"""Sentences of a text as spans that tile it: no character is in none, none is in two.

Rules instead of a model: English abbreviations, initials, decimals, quotes and ellipses; line
breaks, blank lines and list items; Chinese and Japanese 。！？ with the quotes that close after
them, and ； after a long clause. A rule that errs costs one odd sentence, never a lost character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from .words import SPACELESS

LONGEST = 1000
"""Characters. What has no border for longer is cut at a comma or space, or hard at last."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` (inclusive) to `end` (exclusive); the white space after belongs to it."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


def split(text: str) -> list[Span]:
    """Spans of the sentences of `text`, in order; empty for text that is all white space."""
    spans: list[Span] = []
    start = 0
    # Where no sentence begins with a capital, as in a quick chat, small letters may begin one.
    lowercase = _CAPITAL_START.search(text) is None
    for mark in _MARK.finditer(text):
        if mark.start() < start:
            continue
        end = _border(text, start, mark, lowercase)
        if end is not None and not text[start:end].isspace():
            spans.extend(_bounded(text, Span(start, end)))
            start = end
    if start < len(text):
        if not text[start:].isspace():
            spans.extend(_bounded(text, Span(start, len(text))))
        elif spans:
            spans[-1] = Span(spans[-1].start, len(text))
    return spans


_MARK = re.compile(r"[.!?…。！？｡]+|；|\n\s*")
_CAPITAL_START = re.compile(r"[.!?…][\"'”’»)\]]*\s+[\"'“‘«(\[]*[A-ZÀ-ÞА-Я]")
_IDEOGRAPHIC = re.compile(r"[。！？｡]")
_CLAUSE = 20
"""Characters. A Chinese semicolon ends a sentence that is longer: it often stands for a stop."""
_SPACELESS = re.compile(f"[{SPACELESS}]")
_CLOSERS = "」』”’》〉】）)]»"
_OPENERS = "\"'“‘«([「『《【（"
_UNTIL_LATIN = re.compile(f".*[{SPACELESS}]")
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[^\W_]+")
_LIST_ITEM = re.compile(
    r"(?:[-*+•–—]|\(?\d{1,3}[.)]|\(?[a-z]\)|[（(]?[一二三四五六七八九十]+[）)、])\s*\S"
)
_SPEAKER = re.compile(r"#?[^\W\d_][^:：\n]{0,30}(?::\s|：)")
_WRAPPED_LINE = 50
"""Columns. A longer line that ends without punctuation goes on in the next."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Abbreviations that never end a sentence, that do not before a number, and that may end one.
_NEVER_END = _set("""
    mr mrs ms dr prof st mt gen sen rep gov capt cpt lt col sgt maj cmdr rev hon pres supt messrs
    mme mlle vs cf eg ie viz approx ca dept ave blvd rd
""")
_NOT_BEFORE_NUMBER = _set("""
    no nos fig figs p pp vol vols art sec sect ch chap eq eqs ref refs nr ver
""")
_MAY_END = _set("""
    inc ltd co corp llc plc bros jr sr etc al est esq phd ba ma bsc msc jan feb apr jun jul aug
    sep sept oct nov dec mon tue tues wed thu thur thurs fri hrs hr mins ft lb lbs oz kg km cm mm
""")
_STARTERS = _set("""
    the a an in on at by to of as if it its is he she they we i you his her their our my your
    this that these those there here but and or so yet nor for from with when while where what
    who why how after before since until although though because however moreover meanwhile then
    now today yesterday some many most all no not both each every one two several
""")


def _border(text: str, start: int, mark: re.Match[str], lowercase: bool) -> int | None:
    """Where the next sentence begins, if `mark` ends the one that begins at `start`."""
    if mark.group().startswith("\n"):
        return mark.end() if _line_ends(text, start, mark) else None
    after = mark.end()
    if mark.group() == "；":
        return _skip_space(text, after) if after - start > _CLAUSE else None
    if _is_ideographic(text, mark):
        return _ideographic_border(text, start, after)
    while after < len(text) and (text[after] in _CLOSERS or text[after] in "\"'"):
        after += 1
    if after < len(text) and not text[after].isspace():
        return None
    following = _skip_space(text, after)
    if following == len(text) or text.count("\n", after, following) > 1:
        return following
    word = _next_word(text, following)
    if word[:1].islower() and not lowercase:
        return None
    if mark.group() == "." and not _full_stop(text, start, mark.start(), word):
        return None
    return following


def _is_ideographic(text: str, mark: re.Match[str]) -> bool:
    if _IDEOGRAPHIC.search(mark.group()):
        return True
    before = text[mark.start() - 1 : mark.start()] if mark.start() else ""
    return mark.group()[0] in "!?" and _SPACELESS.match(before) is not None


def _ideographic_border(text: str, start: int, after: int) -> int | None:
    quoted = False
    while after < len(text):
        closes = text[after] in _CLOSERS or (quoted and text[after] in "。！？｡…")
        # A straight quote closes where it was opened in this sentence.
        if not closes and text[after] == '"':
            closes = text.count('"', start, after) % 2 == 1
        if not closes:
            break
        quoted = True
        after += 1
    # 「…」と言った, “…”，他说: the sentence goes on after what was quoted.
    if text[after : after + 1] in tuple("，、,；;") or (quoted and text[after : after + 1] == "と"):
        return None
    return _skip_space(text, after)


def _full_stop(text: str, start: int, position: int, following: str) -> bool:
    """Whether the dot at `position` ends a sentence, rather than an abbreviation or a number."""
    before = text[max(start, position - 40) : position].split()
    token = _UNTIL_LATIN.sub("", before[-1]).lstrip(_OPENERS + "-") if before else ""
    word = token.lower()
    if token.isdigit() and len(token) <= 3 and len(before) == 1 and position - start <= 40:
        return False  # The number of a list item.
    if word in _NEVER_END:
        return False
    if word in _NOT_BEFORE_NUMBER and following[:1].isdigit():
        return False
    initial = len(token) == 1 and token.isalpha() and token.isupper()
    if initial or word in _MAY_END or _is_acronym(token):
        return following.lower() in _STARTERS
    return True


def _is_acronym(token: str) -> bool:
    """U.S, e.g, Ph.D: dots between groups of one or two letters."""
    parts = token.split(".")
    return len(parts) > 1 and all(part.isalpha() and len(part) <= 2 for part in parts)


def _line_ends(text: str, start: int, mark: re.Match[str]) -> bool:
    """Whether a line break is a border: between paragraphs, items, headings, turns of speech."""
    if mark.group().count("\n") > 1:
        return True
    following = text[mark.end() : mark.end() + 40]
    if not following or _LIST_ITEM.match(following) or _SPEAKER.match(following):
        return True
    line = text[max(start, text.rfind("\n", start, mark.start()) + 1) : mark.start()].rstrip()
    if _next_word(text, mark.end())[:1].islower() or line.endswith((",", "，", "、", ";", "；")):
        return False
    columns = len(line) + len(_SPACELESS.findall(line))
    return columns < _WRAPPED_LINE or line.endswith((":", "："))


def _next_word(text: str, position: int) -> str:
    while position < len(text) and text[position] in _OPENERS:
        position += 1
    word = _WORD.match(text, position)
    return word.group() if word else ""


def _skip_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


_PAUSE = re.compile(r"[,;:，；：、]\s*|\s+")


def _bounded(text: str, span: Span) -> list[Span]:
    """`span`, cut where it is longer than LONGEST: at the last pause that leaves half of it."""
    if len(span) <= LONGEST:
        return [span]
    first = _skip_space(text, span.start)
    last = span.start + len(text[span.start : span.end].rstrip())
    borders = [span.start]
    while last - first > LONGEST:
        half, full = first + LONGEST // 2, first + LONGEST
        pauses = [pause.end() for pause in _PAUSE.finditer(text, half, full)]
        first = _skip_space(text, pauses[-1] if pauses else full)
        borders.append(first)
    return [Span(start, end) for start, end in pairwise([*borders, span.end])]
