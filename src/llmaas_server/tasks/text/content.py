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
    """Those that say what the text is about, in lower case.

    Where a script has no spaces, words are not told apart: there every two neighbours are one,
    unless one of the two says nothing by itself, such as 的; a character without neighbours stands
    alone.
    """
    empty = empty_words()
    found: list[str] = []
    run = ""
    for unit in [*words.units(text.lower()), ""]:
        said = unit.isalnum() and unit not in empty
        if said and words.is_spaceless(unit):
            run += unit
            continue
        found += [run[i : i + 2] for i in range(len(run) - 1)] if len(run) > 1 else [run] * len(run)
        run = ""
        if said and len(unit) > 1:
            found.append(unit)
    return found
