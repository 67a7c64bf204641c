"""Whether documents say what a sentence says: how well, where, and if not, why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmaas_server.runtime.interface import Floats
from llmaas_server.tasks.text.sources import Source, merge

from .choice import choose
from .evidence import Grounds, terms
from .numbers import numbers
from .objections import against

# Support is logistic in the likeness of a sentence and its spans: of their meaning (the cosine),
# of their words (the share of the sentence's weight that they have), and of the words around the
# best of them.
MEANING, WORDS, AROUND, BIAS = 9.0, 8.0, 8.0, -7.8
REACH = 10
"""Sentences before and after that are around."""
SUPPORTED = 0.5
"""The support from which a sentence is supported, if nothing speaks against it."""


@dataclass(frozen=True, slots=True)
class Grounded:
    """`sources` are the spans that the sentence rests on, as few and as short as will do."""

    sources: tuple[Source, ...]
    support: float
    reasons: tuple[str, ...]

    @property
    def supported(self) -> bool:
        return not self.reasons


def judge(claims: Sequence[str], vectors: Floats, grounds: Grounds) -> list[Grounded]:
    """`vectors` are those of the claims, [claims, hidden]."""
    return [_judge(claim, vector, grounds) for claim, vector in zip(claims, vectors, strict=True)]


def _judge(claim: str, vector: Floats, grounds: Grounds) -> Grounded:
    weighed = frozenset(terms(claim))
    cosines = (grounds.vectors @ vector).astype(np.float64)
    stated = [number for number in numbers(claim) if not number.loose]
    choice = choose(weighed, stated, cosines, grounds)
    support = _likeness(weighed, vector, choice.spans, grounds)
    objections = list(against(claim, stated, weighed, choice, grounds))
    for objection in objections:
        support *= objection.leaves
    reasons = [objection.reason for objection in objections if objection.reason]
    if support < SUPPORTED and not reasons:
        reasons = ["nothing in the source is near enough to it"]
    sources = merge(grounds.spans[index] for index in choice.spans)
    return Grounded(tuple(sources), support, tuple(reasons))


def _likeness(
    weighed: frozenset[str], vector: Floats, chosen: Sequence[int], grounds: Grounds
) -> float:
    vectors = grounds.vectors[list(chosen)]
    together = vectors.sum(axis=0)
    together /= max(1e-9, float(np.linalg.norm(together)))
    cosine = max(float((vectors @ vector).max()), float(together @ vector))
    share = grounds.share(weighed, chosen)
    around = grounds.share(weighed, grounds.around(chosen[0], REACH))
    likeness = MEANING * cosine + WORDS * share + AROUND * around + BIAS
    return 1 / (1 + math.exp(-likeness))
