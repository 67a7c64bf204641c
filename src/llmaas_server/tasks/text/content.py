"""Words that say what a text is about."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from . import words


@cache
def empty_words() -> frozenset[str]:
    """Words that say nothing of what a text is about."""
    lines = files(__package__).joinpath("empty_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def content_words(text: str) -> list[str]:
    """Those that say what the text is about, in lower case."""
    empty = empty_words()
    return [
        word
        for word in words.units(text.lower())
        if word not in empty and (len(word) > 1 or words.is_spaceless(word)) and word.isalnum()
    ]
