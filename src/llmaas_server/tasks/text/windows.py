"""Texts as token sequences that fit a context: longer ones in several windows, nothing cut off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Floats, Tokenizer


@dataclass(frozen=True, slots=True)
class Windows:
    """`sequences[i]` is a window of text `owners[i]`; windows of one text stand in a row."""

    sequences: tuple[tuple[int, ...], ...]
    owners: NDArray[np.int64]  # [sequences]
    texts: int

    @property
    def tokens(self) -> int:
        return sum(len(sequence) for sequence in self.sequences)

    @property
    def counts(self) -> list[int]:
        """Windows of each text."""
        counts: list[int] = np.bincount(self.owners, minlength=self.texts).tolist()
        return counts

    def only(self, text: int) -> tuple[int, ...] | None:
        """The window of a text that has one; None where it has several."""
        (mine,) = np.nonzero(self.owners == text)
        return self.sequences[mine[0]] if len(mine) == 1 else None

    def pool(self, vectors: Floats) -> Floats:
        """Unit vectors of windows -> unit vectors of texts: the mean, weighted by length.

        [sequences, hidden] -> [texts, hidden]
        """
        if len(self.sequences) == self.texts:
            return vectors
        sums, _ = self._sums(vectors)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        pooled: Floats = (sums / np.maximum(norms, 1e-12)).astype(np.float32)
        return pooled

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of windows -> values of texts: the mean, weighted by length.

        [sequences, any] -> [texts, any]
        """
        if len(self.sequences) == self.texts:
            return values
        sums, weights = self._sums(values)
        means: NDArray[np.float64] = sums / weights[:, None]
        return means

    def _sums(
        self, values: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """By text: of the values times the length of their window, and of the lengths."""
        lengths = np.array([len(sequence) for sequence in self.sequences], dtype=np.float64)
        sums = np.zeros((self.texts, values.shape[1]), dtype=np.float64)
        np.add.at(sums, self.owners, values * lengths[:, None])
        weights = np.zeros(self.texts, dtype=np.float64)
        np.add.at(weights, self.owners, lengths)
        return sums, weights


def read(texts: Iterable[str], tokenizer: Tokenizer, context: int) -> Windows:
    """Tokenize `texts`, in windows of at most `context` tokens, framed as the model expects."""
    before, after = _frame(tokenizer)
    room = context - len(before) - len(after)
    if room < 1:
        raise Problem("model_broken", f"a context of {context} tokens has no room for text")
    sequences: list[tuple[int, ...]] = []
    owners: list[int] = []
    count = 0
    for count, text in enumerate(texts, start=1):
        for window in _cut(tokenizer.encode(text, special=False), room):
            sequences.append((*before, *window, *after))
            owners.append(count - 1)
    return Windows(tuple(sequences), np.array(owners, dtype=np.int64), count)


def _cut(ids: Sequence[int], room: int) -> Iterable[Sequence[int]]:
    """Windows of equal length, as few as will do; one for no ids at all."""
    windows = max(1, -(-len(ids) // room))
    borders = [len(ids) * i // windows for i in range(windows + 1)]
    return (ids[start:end] for start, end in pairwise(borders))


def _frame(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The special tokens that the tokenizer puts before and after a text."""
    plain = tokenizer.encode("a", special=False)
    framed = tokenizer.encode("a")
    for start in range(len(framed) - len(plain) + 1):
        end = start + len(plain)
        if framed[start:end] == plain:
            return framed[:start], framed[end:]
    raise Problem("model_broken", "the tokenizer changes text when it adds special tokens")
