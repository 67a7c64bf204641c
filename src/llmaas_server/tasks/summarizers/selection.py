"""Which sentences stand for a text: near its centre, early in it, and not alike.

Time and memory grow with the number of sentences, not with its square.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmaas_server.runtime.interface import Floats

# Salience is counted in standard deviations of the sentences' nearness to the centre.
POSITION_WEIGHT = 1.0
POSITION_DECAY = 4.0
"""Sentences. The first of a document gains POSITION_WEIGHT, the fifth e times less."""
REDUNDANCY = 2.0
"""What a cosine of 1 to a chosen sentence costs."""
FORM_PENALTY = 0.5
"""For a sentence that hangs on the one before, or that does not end; twice for an odd length."""
DUPLICATE = 0.95
"""The cosine from which a sentence says nothing new at all."""
SHORT, LONG = 4, 60
"""Words. Sentences outside are rarely worth quoting."""

_DANGLING = re.compile(
    r"(?:he|she|it|they|this|that|these|those|but|however|and|so|also|then|there)\b", re.IGNORECASE
)
_FINISHED = re.compile(r"[.!?…。！？｡][\"'”’」』)\]）]*$")

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidate:
    text: str
    position: int
    """From 0, in its own document."""
    length: int
    """Words, as in `text.words`."""
    cost: int
    """Words that it adds to a summary."""


def salience(vectors: Floats, candidates: Sequence[Candidate]) -> Numbers:
    """How much each sentence stands for the whole; only the order and the distances matter."""
    form = np.array([_form(candidate) for candidate in candidates])
    # Titles, list marks and interjections have no say in what the text is about.
    weights = np.where(form >= 0, 1.0, 0.1).astype(np.float32)
    centre = weights @ vectors
    centre /= max(float(np.linalg.norm(centre)), 1e-12)
    relevance = vectors @ centre
    spread = float(relevance.std())
    standard = (relevance - relevance.mean()) / spread if spread > 1e-6 else 0 * relevance
    positions = np.array([candidate.position for candidate in candidates])
    result: Numbers = standard + POSITION_WEIGHT * np.exp(-positions / POSITION_DECAY) + form
    return result


def _form(candidate: Candidate) -> float:
    penalty = 0.0
    if not SHORT <= candidate.length <= LONG:
        penalty -= 2 * FORM_PENALTY
    if not _FINISHED.search(candidate.text):
        penalty -= FORM_PENALTY
    if _DANGLING.match(candidate.text):
        penalty -= FORM_PENALTY
    return penalty


def select(
    vectors: Floats,
    candidates: Sequence[Candidate],
    salient: Numbers,
    most: int,
    max_words: int | None,
) -> list[int]:
    """Indices of at most `most` sentences within `max_words` together, in the order of the text.

    Maximal marginal relevance (Carbonell and Goldstein, 1998), greedy.
    """
    costs = np.array([candidate.cost for candidate in candidates])
    left = np.inf if max_words is None else float(max_words)
    likeness = np.full(len(candidates), -1.0)
    open_ = np.ones(len(candidates), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < most:
        possible = open_ & (costs <= left) & (likeness < DUPLICATE)
        if not possible.any():
            break
        value = np.where(possible, salient - REDUNDANCY * np.maximum(likeness, 0), -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        open_[best] = False
        left -= float(costs[best])
        likeness = np.maximum(likeness, vectors @ vectors[best])
    return sorted(chosen)
