"""What a summary is to be about: how near each sentence is to a question or a topic."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmaas_server.runtime.interface import Floats
from llmaas_server.tasks.text.content import content_words
from llmaas_server.tasks.text.stems import stem

from .terms import Numbers

AROUND = 3
"""Sentences on each side: what a question asks about is rarely named in each sentence that
answers it."""
AROUND_WEIGHT = 5.0
"""Of their mean, beside what the sentence itself names."""


@dataclass(frozen=True, slots=True)
class Focus:
    text: str
    vector: Floats  # [hidden]

    def cosines(self, vectors: Floats) -> Floats:
        """[sentences, hidden] -> [sentences]"""
        cosines: Floats = vectors @ self.vector
        return cosines

    def named(self, contents: Sequence[Sequence[str]], documents: Sequence[int]) -> Numbers:
        """How much of the focus each sentence names, and those around it in its document.

        A word weighs the more, the fewer sentences have it. `contents` are the content words of
        each sentence, `documents` say which document it is in.
        """
        asked = {stem(word) for word in content_words(self.text)}
        having = [asked.intersection(map(stem, content)) for content in contents]
        frequency = Counter(word for words in having for word in words)
        own: Numbers = np.array(
            [
                sum(math.log((len(contents) + 1) / frequency[word]) for word in words)
                for words in having
            ]
        )
        of = np.asarray(documents)
        around = np.concatenate([_around(own[of == document]) for document in np.unique(of)])
        named: Numbers = own + AROUND_WEIGHT * around
        return named


def _around(values: Numbers) -> Numbers:
    """The mean of each value and of those around it; beyond the ends there are zeros."""
    window = np.full(2 * AROUND + 1, 1 / (2 * AROUND + 1))
    means: Numbers = np.convolve(values, window)[AROUND : AROUND + len(values)]
    return means
