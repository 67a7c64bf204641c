"""Numbers of a text by value, however they are written: 1.5 million is 1,500,000, 三十 is 30."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from . import hanzi, number_words


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a text.

    `values` are all that it can stand for: 30 % is 30 and 0.3, `5m` is 5 and 5,000,000.
    `rough` is one that the text itself rounds: about 3,000 is 2,987, too. `loose` is one that may
    stand for no number at all, such as `one` and `first`.
    """

    text: str
    values: frozenset[float]
    rough: bool = False
    loose: bool = False

    @property
    def in_words(self) -> bool:
        return not any(character.isdigit() for character in self.text)

    def among(self, values: Iterable[float]) -> bool:
        """Whether it is one of `values`, or near one where it is rough."""
        return any(self._is(own, other) for other in values for own in self.values)

    def _is(self, own: float, other: float) -> bool:
        if self.rough and other:
            other = float(f"{other:.{_figures(own) - 1}e}")
        return abs(own - other) <= 1e-9 * max(abs(own), abs(other))


def numbers(text: str) -> list[Number]:
    """The numbers of `text`: in digits, in English words, in Chinese characters."""
    found = [
        (
            match.start(),
            Number(match.group().strip(), frozenset(_values(match)), _rough(text, match)),
        )
        for match in _DIGITS.finditer(text)
    ]
    for start, written, of_it, loose in chain(number_words.find(text), hanzi.find(text)):
        found.append((start, Number(written, frozenset(of_it), _hedged(text, start), loose)))
    return [number for _, number in sorted(found, key=lambda pair: pair[0])]


def values(text: str) -> frozenset[float]:
    """All that the numbers of `text` can stand for."""
    return frozenset(value for number in numbers(text) for value in number.values)


def implied(text: str) -> frozenset[float]:
    """What stands for a number without being one: both, a pair, an hour."""
    return frozenset(number_words.implied(text) | hanzi.implied(text))


_DIGITS = re.compile(
    r"""
    (?<![A-Za-z_\#.,\d])(?<![A-Za-z]\d)
    (?P<whole>\d{1,3}(?:[,'’\u00a0\u202f，]\d{3})+(?!\d)|\d+)
    (?P<part>[.]\d+)?
    (?:(?:st|nd|rd|th)\b)?
    (?:[\s-]?(?P<scale>hundred|thousand|million|billion|trillion|mn|bn|tn|[kKmM](?!\w)|[百千万萬亿億]+))?
    (?:\s?(?P<percent>%|％|percent\b|per\scent\b|pct\b))?
    (?P<decade>['’]?s\b)?
    """,
    re.VERBOSE,
)
_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "mn": 1e6, "m": 1e6,
    "billion": 1e9, "bn": 1e9, "trillion": 1e12, "tn": 1e12,
}  # fmt: skip


def _values(match: re.Match[str]) -> Iterator[float]:
    whole = re.sub(r"\D", "", match["whole"])
    part = match["part"] or ""
    value = float(whole + part)
    scale = (match["scale"] or "").lower()
    if scale in ("k", "m"):  # metres or millions
        yield value
    value *= _SCALES.get(scale, 1.0) if scale.isascii() else hanzi.scale(scale)
    yield value
    if match["percent"]:
        yield value / 100
    if match["decade"] and value > 100:
        yield value % 100
    if len(part) == 4 and len(whole) <= 3 and not scale:  # 1.500 in much of Europe
        yield float(whole + part[1:])


_HEDGE = re.compile(
    r"(?:\b(?:about|around|almost|nearly|roughly|approximately|some|over|under|circa|ca\.?|"
    r"more\sthan|less\sthan|fewer\sthan|at\sleast|close\sto|up\sto)\s+(?:[$€£¥]\s?)?|~\s?|"
    r"[约近逾超]|大约|将近|超过|左右)$",
    re.IGNORECASE,
)


def _rough(text: str, match: re.Match[str]) -> bool:
    after = text[match.end() : match.end() + 2]
    return _hedged(text, match.start()) or after[:1] in ("多", "余") or after == "左右"


def _hedged(text: str, start: int) -> bool:
    return _HEDGE.search(text[max(0, start - 20) : start].rstrip("$€£¥")) is not None


def _figures(value: float) -> int:
    """Figures of a number that are no zeros at its end: 1 for 3000, 2 for 0.25."""
    return len(f"{value:.8e}".split("e")[0].replace(".", "").rstrip("0")) or 1
