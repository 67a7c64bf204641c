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


@dataclass(frozen=True, slots=True)
class Focus:
    text: str
    vector: Floats  # [hidden]

    def cosines(self, vectors: Floats) -> Floats:
        """[sentences, hidden] -> [sentences]"""
        cosines: Floats = vectors @ self.vector
        return cosines

    def named(self, contents: Sequence[Sequence[str]], documents: Sequence[int]) -> Numbers:
        """How much of the focus is named by each sentence and those around it in its document.

        A word weighs the more, the fewer sentences have it. `contents` are the content words of
        each sentence, `documents` say which document it is in.
        """
        asked = {stem(word) for word in content_words(self.text)}
        having = [asked.intersection(map(stem, content)) for content in contents]
        frequency = Counter(word for words in having for word in words)
        own = np.array(
            [
                sum(math.log((len(contents) + 1) / frequency[word]) for word in words)
                for words in having
            ]
        )
        of = np.asarray(documents)
        named: Numbers = np.concatenate(
            [_around(own[of == document]) for document in np.unique(of)]
        )
        return named


def _around(values: Numbers) -> Numbers:
    """The mean of each value and of those around it, as far as there are some."""
    window = np.ones(2 * AROUND + 1)
    middle = slice(AROUND, AROUND + len(values))
    sums = np.convolve(values, window)[middle]
    counts = np.convolve(np.ones_like(values), window)[middle]
    means: Numbers = sums / counts
    return means
