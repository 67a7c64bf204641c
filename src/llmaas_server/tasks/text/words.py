"""Words, in units that make sense with and without spaces between them.

Where a script writes no spaces (Chinese, Japanese, Thai, ...), a word is a character, punctuation
included; elsewhere it is what stands between two spaces. Mixed text counts both: 在2023年 is three.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Thai and Lao, Myanmar, Khmer, CJK with its punctuation and kana, compatibility and full width
# forms, the planes of rare ideographs. Hangul is not here: Korean has spaces.
SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff9f\U00020000-\U0003ffff"
)
_SPACELESS = re.compile(f"[{SPACELESS}]")
_RUN = re.compile(r"\S+")
_UNIT = re.compile(rf"[{SPACELESS}]|[^\W{SPACELESS}]+|[^\w\s]")

ELLIPSIS = "…"


def is_spaceless(text: str) -> bool:
    """Whether some of `text` is in a script without spaces."""
    return _SPACELESS.search(text) is not None


def units(text: str) -> list[str]:
    """Words without the punctuation around them, characters where a script has no spaces, and
    each sign of punctuation by itself."""
    return _UNIT.findall(text)


def count(text: str) -> int:
    """Words of `text`; never fewer than the pieces between its spaces."""
    return sum(1 for _ in _ends(text))


def reading_words(text: str) -> int:
    """About as many words as it would have if its script had spaces: two characters are one."""
    spaceless = len(_SPACELESS.findall(text))
    return count(text) - spaceless // 2


def cut(text: str, most: int) -> str:
    """The first words of `text`, at most `most` (1 or more) with an ellipsis that shows the cut.

    Text that is short enough comes back as it is. For one word alone there is no room for the
    ellipsis where it counts as a character.
    """
    ends = list(_ends(text))
    if len(ends) <= most:
        return text
    for kept in range(most, 0, -1):
        shortened = text[: ends[kept - 1]].rstrip(" ,;:，、；：") + ELLIPSIS
        if count(shortened) <= most:
            return shortened
    return text[: ends[0]]


def join(left: str, right: str) -> str:
    """Two sentences in a row, with a space between them unless both are in a script without.

    So the words of the whole are the words of the two.
    """
    if not left or not right or (is_spaceless(left[-2:]) and is_spaceless(right[:2])):
        return left + right
    return f"{left} {right}"


def _ends(text: str) -> Iterator[int]:
    """Where each word ends."""
    for run in _RUN.finditer(text):
        if is_spaceless(run.group()):
            yield from (unit.end() for unit in _UNIT.finditer(text, run.start(), run.end()))
        else:
            yield run.end()
