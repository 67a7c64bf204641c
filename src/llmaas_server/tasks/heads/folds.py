"""Stratified folds, the same every time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .logistic import Ints

MOST = 5
SEED = 0


def number_of_folds(targets: Ints) -> int:
    """As many as there are examples of the smallest class, and 5 at most."""
    return min(MOST, int(np.bincount(targets).min()))


def fold_of_each(targets: Ints, folds: int) -> Ints:
    """A fold for each example, [examples]: of each class as many in one fold as in another.

    Where a class begins to deal goes round, so that folds are of about the same size.
    """
    generator = np.random.default_rng(SEED)
    chosen = np.empty(len(targets), dtype=np.int64)
    start = 0
    for label in range(int(targets.max()) + 1):
        members = generator.permutation(np.flatnonzero(targets == label))
        chosen[members] = (start + np.arange(len(members))) % folds
        start += len(members)
    return chosen


def splits(fold: Ints, folds: int) -> Iterator[tuple[Ints, Ints]]:
    """Indices to learn from, and indices to try, for each fold."""
    for number in range(folds):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)
