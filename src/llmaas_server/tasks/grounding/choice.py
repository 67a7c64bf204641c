"""Which sentences of the documents support a sentence: as few as say what they can of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .evidence import Grounds, Numbers
from .numbers import Number

MOST = 4
"""Sentences that the words of one sentence may rest on; its numbers may need further ones."""
SEARCHED = 30
"""The nearest, among which it is looked for them."""
GAIN = 0.12
"""Share of a sentence's weight that a further span must add."""
ALIKE, SHARED = 0.3, 0.1
"""The cosine, and the share of the sentence's weight, that a further span must have, unless it
stands near one that was chosen."""
WORDS = 0.5
"""What having all words of a sentence is worth, in cosines."""
NEARBY = 0.2
"""What standing near a chosen span is worth, in cosines, to one that has a number."""
CARRIES = 0.42
"""The relevance from which a span says what a number of the sentence counts."""


@dataclass(frozen=True, slots=True)
class Choice:
    spans: tuple[int, ...]
    """Indices, the best one first."""
    likeness: float
    """The cosine of the sentence and the best span."""
    carried: tuple[float | None, ...]
    """For each number of the sentence, how relevant the best span is that has it."""


def choose(
    claim: frozenset[str], stated: Sequence[Number], cosines: Numbers, grounds: Grounds
) -> Choice:
    """The spans for a sentence with the terms `claim` and the numbers `stated`; `cosines` are
    those of it and each span."""
    shares = grounds.shares(claim)
    relevance = cosines + WORDS * shares
    chosen = _for_words(claim, relevance, (cosines >= ALIKE) & (shares >= SHARED), grounds)
    near = {index for one in chosen for index in grounds.around(one)}
    carried: list[float | None] = []
    for number in stated:
        having = [i for i in range(len(cosines)) if grounds.has(number, [i])]
        worth = {index: relevance[index] + NEARBY * (index in near) for index in having}
        best = max(having, key=lambda index: (index in chosen, worth[index]), default=None)
        carried.append(None if best is None else float(worth[best]))
        if best is not None and worth[best] >= CARRIES and best not in chosen:
            chosen.append(best)
    return Choice(tuple(chosen), float(cosines[chosen[0]]), tuple(carried))


def _for_words(
    claim: frozenset[str], relevance: Numbers, alike: NDArray[np.bool_], grounds: Grounds
) -> list[int]:
    nearest = np.argsort(-relevance, kind="stable")[:SEARCHED].tolist()
    chosen: list[int] = nearest[:1]
    total = max(1e-9, grounds.total(claim))
    while len(chosen) < MOST:
        uncovered = claim - grounds.terms_of(chosen)
        near = {index for one in chosen for index in grounds.around(one)}
        gains = grounds.shares(uncovered) * grounds.total(uncovered) / total
        candidates = [
            index
            for index in {*nearest, *near}
            if index not in chosen and (alike[index] or index in near)
        ]
        further = max(candidates, key=lambda i: (gains[i], relevance[i]), default=None)
        if further is None or gains[further] < GAIN:
            break
        chosen.append(further)
    return chosen
