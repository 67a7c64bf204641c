"""Sentences of documents, searched for what supports a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from llmaas_server.runtime.interface import Floats
from llmaas_server.tasks.text.content import content_words
from llmaas_server.tasks.text.sources import Source
from llmaas_server.tasks.text.stems import stem

from . import hanzi, number_words
from .names import Vocabulary
from .numbers import Number, implied, values

Numbers = NDArray[np.float64]

LITERAL = 0.75
"""Share of a sentence's weight in one span from which that span is about the same thing."""
TELLING = 0.3
"""The weight of words of summaries that are not in what they summarize: says, the authors."""
NEAR = 2
"""Sentences before and after: where a number may stand that belongs to what a span says."""


class Grounds:
    """Documents, cut into `spans`, with the vectors of those; `vectors` are [spans, hidden]."""

    def __init__(self, documents: Sequence[str], spans: Sequence[Source], vectors: Floats) -> None:
        self.spans = spans
        self.vectors = vectors
        self.texts = [span.text(documents).strip() for span in spans]
        self._terms = [frozenset(terms(text)) for text in self.texts]
        self._postings: dict[str, list[int]] = {}
        for index, of_it in enumerate(self._terms):
            for term in of_it:
                self._postings.setdefault(term, []).append(index)

    def weight(self, term: str) -> float:
        """How much a term says: the fewer sentences have it, the more; little where it only says
        that something is told."""
        rarity = math.log1p((len(self.texts) + 1) / (len(self._postings.get(term, ())) + 0.5))
        return rarity * (TELLING if term in _telling() else 1.0)

    def shares(self, claim: frozenset[str]) -> Numbers:
        """The share of the claim's weight that each sentence has, [spans]."""
        shares: Numbers = np.zeros(len(self.texts))
        for term in claim:
            if of_it := self._postings.get(term):
                shares[of_it] += self.weight(term)
        return shares / max(1e-9, self.total(claim))

    def total(self, claim: frozenset[str]) -> float:
        return sum(self.weight(term) for term in claim)

    def share(self, claim: frozenset[str], spans: Sequence[int]) -> float:
        """The share of the claim's weight that these sentences have together; all of nothing."""
        total = self.total(claim)
        return self.total(claim & self.terms_of(spans)) / total if total else 1.0

    def terms_of(self, spans: Sequence[int]) -> frozenset[str]:
        return frozenset().union(*(self._terms[index] for index in spans))

    def literal(self, claim: frozenset[str], spans: Sequence[int]) -> list[int]:
        """Those of `spans` that say nearly all of the claim in its own words."""
        return [index for index in spans if self.share(claim, [index]) >= LITERAL]

    @cached_property
    def values(self) -> list[frozenset[float]]:
        """What the numbers of each sentence can stand for."""
        return [values(text) for text in self.texts]

    @cached_property
    def _implied(self) -> list[frozenset[float]]:
        return [implied(text) for text in self.texts]

    def has(self, number: Number, spans: Iterable[int] | None = None) -> bool:
        """Whether the number is in these sentences, or in any."""
        inside = range(len(self.texts)) if spans is None else spans
        return any(
            number.among(self.values[index])
            or (number.in_words and number.among(self._implied[index]))
            for index in inside
        )

    def around(self, index: int, reach: int = NEAR) -> range:
        """The sentence and those before and after it in its document."""
        document = self.spans[index].document
        first, last = max(0, index - reach), min(len(self.spans), index + reach + 1)
        inside = [i for i in range(first, last) if self.spans[i].document == document]
        return range(inside[0], inside[-1] + 1)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.texts)


@cache
def _telling() -> frozenset[str]:
    return frozenset(map(stem, _TELLING.split()))


_TELLING = """
    say says said tell told discuss explain mention talk ask suggest think thought propose agree
    present describe introduce argue point state believe claim add note report answer reply inform
    advise recommend show consider raise emphasize stress conclude want decide
    paper author article text document meeting team group member speaker participant person people
    discussion summary topic issue conversation dialogue
"""


def terms(text: str) -> list[str]:
    """Stems of the words that say something, and that are no numbers."""
    return [
        stem(word)
        for word in content_words(text)
        if word.isalpha() and not number_words.is_one(word) and not hanzi.is_one(word)
    ]
