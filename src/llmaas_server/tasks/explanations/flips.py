"""The search for a small set of words without which the answer is another.

Pure: it asks for sets of words to leave out, and is told of each whether that flips the answer.
Greedy: the words that speak most for the answer go first, until it flips; then words come back one
by one for as long as it stays flipped. The set that is left is minimal, not proven the smallest.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

Removal = frozenset[int]
"""Numbers of the words that are left out."""

Search = Generator[list[Removal], list[bool], "Found | None"]
"""Yields removals to try, is sent for each whether the answer flips."""

FIRST = 8
"""Removals of the first round: most flips need few words."""


@dataclass(frozen=True, slots=True)
class Found:
    removed: Removal
    minimal: bool
    """With any one of them put back the answer stays what it was."""


def search(
    order: Sequence[int], most_removed: int, most_tries: int, alone: Sequence[int] | None
) -> Search:
    """`order`: the words to leave out, the most telling first; never all words of a text.

    `alone`: the words each of which flips the answer alone, the best first; None where nobody has
    tried.
    """
    if alone:
        return Found(frozenset(alone[:1]), minimal=True)
    tries = _Tries(most_tries)
    least = 1 if alone is None else 2
    sizes = range(least, min(len(order), most_removed) + 1)
    removed: Removal | None = None
    for some in (sizes[:FIRST], sizes[FIRST:]):
        flipping = yield from tries.of([frozenset(order[:size]) for size in some])
        if flipping:
            removed = flipping[0]
            break
    if removed is None:
        return None
    return (yield from _minimized(removed, order, tries, alone is not None))


def _minimized(removed: Removal, order: Sequence[int], tries: _Tries, none_alone: bool) -> Search:
    """Put words back, the least telling first, until each of the rest is needed."""
    # Where none flips the answer alone, two of which one comes back need no try.
    while len(removed) > (2 if none_alone else 1):
        back = sorted(removed, key=order.index, reverse=True)
        flipping = yield from tries.of([removed - {word} for word in back])
        if not flipping:
            return Found(removed, minimal=tries.complete)
        free = [word for word in back if removed - {word} in flipping]
        together = [removed - set(free[:count]) for count in range(2, len(free) + 1)]
        fewer = yield from tries.of([one for one in together if one])
        removed = [flipping[0], *fewer][-1]
    return Found(removed, minimal=True)


class _Tries:
    """Counts tries, up to a most."""

    def __init__(self, most: int) -> None:
        self._left = most
        self.complete = True
        """Whether all of the last removals were tried."""

    def of(self, removals: list[Removal]) -> Generator[list[Removal], list[bool], list[Removal]]:
        """Those of `removals` that flip the answer, in their order."""
        tried = removals[: self._left]
        self.complete = len(tried) == len(removals)
        self._left -= len(tried)
        flips = (yield tried) if tried else []
        return [removal for removal, flipped in zip(tried, flips, strict=True) if flipped]
