"""Guesses at what a model will say next, from what it read and said before. No torch here.

Prompt lookup (Saxena, 2023): where the last tokens stand earlier in the sequence, what followed
them there is the guess. Summaries, answers with quotations and edits copy much; where nothing
repeats there is no guess, and where guesses fail they are given up for a while.
"""

from __future__ import annotations

from collections.abc import Sequence

LONG, SHORT = 3, 2
"""Tokens that must be the same; the longer match goes first."""

MOST = 8
"""Tokens of a draft. Each costs its share of a step, right or wrong."""

FIRST = 3
"""Tokens of a draft after the last one failed."""

PAUSE = 8
"""Tokens without a draft after a failure; twice as many after each further one."""


class Drafts:
    """What stood where in one sequence, and how well the guesses went."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, ...], int] = {}
        """Tokens -> where they ended last, before the end of the sequence."""
        self._noted = 0
        self._length = FIRST
        self._failures = 0
        self._resume = 0
        """The length of the sequence at which to guess again."""

    def after(self, tokens: Sequence[int], most: int) -> list[int]:
        """The tokens that may follow `tokens`, `most` at most; it only ever grows at its end."""
        most = min(most, self._length)
        if most < 1 or len(tokens) < self._resume:
            return []
        self._note(tokens)
        for length in (LONG, SHORT):
            end = self._seen.get(tuple(tokens[-length:]))
            if end is not None and len(tokens) > length:
                return list(tokens[end : end + most])
        return []

    def learn(self, drafted: int, taken: int) -> None:
        """Of a draft of `drafted` tokens the first `taken` were right."""
        if 2 * taken >= drafted:
            self._failures = 0
            self._length = min(MOST, 2 * max(taken, 1) + 1)
            return
        self._length = FIRST
        self._failures += 1
        self._resume = self._noted + taken + 1 + PAUSE * 2 ** min(self._failures - 1, 6)

    def _note(self, tokens: Sequence[int]) -> None:
        """Remember what stands where; not yet where the sequence ends, which is looked up."""
        for end in range(max(self._noted, SHORT), len(tokens)):
            self._seen[tuple(tokens[end - SHORT : end])] = end
            if end >= LONG:
                self._seen[tuple(tokens[end - LONG : end])] = end
        self._noted = len(tokens)
