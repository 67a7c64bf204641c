"""What sentences are about, by their words: how much of the text's vocabulary each one has."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


class Terms:
    """Figures of each sentence, [sentences]. A word weighs by the sentences that have it."""

    def __init__(self, sentences: Sequence[Sequence[str]]) -> None:
        """`sentences` are the content words of each."""
        frequency = Counter(word for sentence in sentences for word in set(sentence))
        self.length: Numbers = np.log1p([len(sentence) for sentence in sentences])
        self.weight: Numbers = np.sqrt(
            [sum(math.log(frequency[word]) for word in set(sentence)) for sentence in sentences]
        )
        """Of all its words together: words that come back all over the text."""
        self.density: Numbers = np.array(
            [
                sum(math.log1p(frequency[word]) for word in sentence) / max(1, len(sentence))
                for sentence in sentences
            ]
        )
        """Of one of its words, on average."""
