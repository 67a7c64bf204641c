"""How near passages are to a question: by meaning, and by the words that say the most. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llmaas_server.runtime.interface import Floats
from llmaas_server.tasks.grounding.evidence import Grounds, terms

WORDS = 0.4
"""What it is worth that a passage has all words of the question, in cosines."""
RELEVANT = 0.3
"""The score from which a passage is about the question."""
BEHIND = 0.3
"""How far behind the best a passage may be that is given, too."""


def scores(questions: Sequence[str], vectors: Floats, passages: Grounds) -> NDArray[np.float64]:
    """From 0 to 1, [passages]; the best of several ways to ask. `vectors` are of the questions."""
    cosines = (passages.vectors @ vectors.T).astype(np.float64)  # [passages, questions]
    shares = np.stack([passages.shares(frozenset(terms(one))) for one in questions], axis=1)
    together: NDArray[np.float64] = np.clip(cosines + WORDS * shares, 0, 1).max(axis=1)
    return together


def relevant(scored: NDArray[np.float64], most: int) -> list[int]:
    """The passages to give, the nearest first; none where none is about the question."""
    order = [int(index) for index in np.argsort(-scored, kind="stable")[:most]]
    least = max(RELEVANT, float(scored.max()) - BEHIND)
    return [index for index in order if scored[index] >= least]
