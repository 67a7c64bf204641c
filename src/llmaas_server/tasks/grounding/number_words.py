"""English numbers in words: two hundred and five, twenty-third, half a million."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmaas_server.tasks.text.content import empty_words

_UNITS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen
""".split()  # noqa: SIM905
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = """
    zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth
""".split()  # noqa: SIM905
_SMALL: dict[str, float] = {
    **{word: float(value) for value, word in enumerate(_UNITS)},
    **{word: 10.0 * value for value, word in enumerate(_TENS, start=2)},
    **{word: float(value) for value, word in enumerate(_ORDINALS)},
    **{word[:-1] + "ieth": 10.0 * value for value, word in enumerate(_TENS, start=2)},
}
_SCALES = {
    "hundred": 1e2, "dozen": 12.0, "thousand": 1e3, "million": 1e6, "billion": 1e9,
    "trillion": 1e12, "hundredth": 1e2, "thousandth": 1e3, "millionth": 1e6,
}  # fmt: skip
_IMPLIED = {
    "a": 1.0, "an": 1.0, "single": 1.0, "once": 1.0, "only": 1.0, "alone": 1.0, "another": 1.0,
    "both": 2.0, "couple": 2.0, "pair": 2.0, "twice": 2.0, "double": 2.0, "doubled": 2.0,
    "twofold": 2.0, "either": 2.0, "twins": 2.0, "trio": 3.0, "triple": 3.0, "thrice": 3.0,
    "half": 0.5, "quarter": 0.25, "no": 0.0, "none": 0.0, "nobody": 0.0,
}  # fmt: skip

_NUMBER = "|".join(sorted([*_SMALL, *_SCALES], key=len, reverse=True))
_PHRASE = re.compile(
    rf"(?<![\w'’.-])(?:half\s+an?\s+(?:dozen|hundred|thousand|million|billion)|"
    rf"(?:an?\s+(?=(?:{'|'.join(_SCALES)})\b))?(?:{_NUMBER})"
    rf"(?:(?:\s+|\s?-\s?|\s+and\s+(?!an?\b))(?:{_NUMBER}))*(?:\s+and\s+a\s+half)?)(?![\w'’])",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]+")
_PERCENT = re.compile(r"\s?(?:%|percent\b|per\scent\b)", re.IGNORECASE)
_AFTER_DIGITS = re.compile(r"\d[\s-]?$")
# "One" that counts nothing, and "first" and "second" that only put things in order.
_PRONOUN_BEFORE = re.compile(
    r"\b(?:no|any|each|every|this|that|the|which|another|some|good|new|only|last|next)[\s-]*$",
    re.IGNORECASE,
)
_PRONOUN_AFTER = re.compile(
    r"\s*(?:[.,;:!?)]|$)|[\s-]+(?:another|day|thing|needs)\b", re.IGNORECASE
)


def find(text: str) -> Iterator[tuple[int, str, list[float], bool]]:
    """Where each begins, as it is written, its values, and whether it may be no number at all."""
    for match in _PHRASE.finditer(text):
        if _AFTER_DIGITS.search(text[max(0, match.start() - 8) : match.start()]):
            continue  # 1.5 million is a number in digits
        words = _WORD.findall(match.group().lower())
        runs = list(_runs(words))
        percent = _PERCENT.match(text, match.end()) is not None
        if len(runs) == 2 and all(10 <= value < 100 for _, _, value in runs):
            # Nineteen ninety, twenty twenty-one.
            runs = [(0, len(words), 100 * runs[0][2] + runs[1][2])]
        for start, end, value in runs:
            whole = end - start == len(words)
            written = match.group() if whole else " ".join(words[start:end]).removesuffix(" and")
            values = [value, value / 100] if percent else [value]
            yield match.start(), written, values, _loose(text, match, written.lower())


def is_one(word: str) -> bool:
    """Whether the word, in small letters, is a number."""
    return word in _SMALL or word in _SCALES


def implied(text: str) -> set[float]:
    """Values of words that stand for a number without being one."""
    return {_IMPLIED[word] for word in _WORD.findall(text.lower()) if word in _IMPLIED}


def _loose(text: str, match: re.Match[str], written: str) -> bool:
    if written in ("first", "second"):
        return True
    return written == "one" and (
        _PRONOUN_BEFORE.search(text[max(0, match.start() - 12) : match.start()]) is not None
        or _PRONOUN_AFTER.match(text, match.end()) is not None
        or _next_word(text, match.end()) in empty_words()
    )


def _next_word(text: str, position: int) -> str:
    word = _WORD.search(text[position : position + 20].lower())
    return word.group() if word else ""


def _runs(words: list[str]) -> Iterator[tuple[int, int, float]]:
    """The numbers of a row of number words: `two hundred five` is one, `two three` are two."""
    start = 0
    while start < len(words):
        end, value = _longest(words, start)
        if end > start:
            yield start, end, value
        start = max(end, start + 1)


def _longest(words: list[str], start: int) -> tuple[int, float]:
    total = current = 0.0
    last: float | None = None
    position = start
    if words[start] == "half":  # half a million
        return len(words), 0.5 * _SCALES[words[-1]]
    while position < len(words):
        word = words[position]
        if word == "and" and words[position + 1 : position + 3] == ["a", "half"]:
            return position + 3, total + current + 0.5
        if word in ("and", "a", "an"):
            position += 1
            continue
        if word in _SCALES:
            scale = _SCALES[word]
            if scale <= 100:
                current = (current or 1.0) * scale
            else:
                total += (current or 1.0) * scale
                current = 0.0
        else:
            value = _SMALL[word]
            # Twenty one hundred, but not five six, nor twenty thirty.
            if last is not None and not ((last >= 20 and value < 10) or last >= 100):
                break
            current += value
        last = _SCALES.get(word) or _SMALL.get(word)
        position += 1
    return position, total + current
