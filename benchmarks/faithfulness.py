"""Whether an explanation names the words that a label rests on (ERASER, DeYoung et al. 2020).

For the most important k of the words, k of 1, 5, 10, 20 and 50 percent but one word at least:

    comprehensiveness = mean over k of  p(text) - p(text without them)      the higher the better
    sufficiency       = mean over k of  p(text) - p(them alone)             the lower the better

where p is the score of the label that the whole text gets. Pure: what is to be read is told, and
the scores of it come from outside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmaas_server.tasks.text.units import Unit, without

SHARES = (0.01, 0.05, 0.10, 0.20, 0.50)


@dataclass(frozen=True, slots=True)
class Faithfulness:
    comprehensiveness: float
    sufficiency: float


def texts_for(text: str, units: Sequence[Unit], ranking: Sequence[int]) -> list[str]:
    """What is to be read: the text without its most important words, and those alone, for each
    share. `ranking`: the words, the most important first."""
    texts: list[str] = []
    for share in SHARES:
        most = set(ranking[: max(1, math.ceil(share * len(units)))])
        texts.append(without(text, units, most))
        texts.append(without(text, units, set(ranking) - most))
    return texts


def read_scores(whole: float, scores: Sequence[float]) -> Faithfulness:
    """`whole`: of the text. `scores`: of `texts_for`."""
    by_share = whole - np.reshape(scores, (len(SHARES), 2)).mean(axis=0)
    return Faithfulness(float(by_share[0]), float(by_share[1]))


def mean(found: Sequence[Faithfulness]) -> Faithfulness:
    return Faithfulness(
        float(np.mean([one.comprehensiveness for one in found])),
        float(np.mean([one.sufficiency for one in found])),
    )


def shuffled(count: int, seed: int) -> list[int]:
    """Words in an order that says nothing."""
    order: list[int] = np.random.default_rng(seed).permutation(count).tolist()
    return order


def ranked(scores: Sequence[float]) -> list[int]:
    """Numbers of words, the most important first; of equals the first."""
    return sorted(range(len(scores)), key=lambda number: -scores[number])
