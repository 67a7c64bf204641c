"""Multinomial logistic regression with an L2 penalty, by Nesterov's accelerated gradient.

    loss = C * sum of the negative log-likelihoods + |W|^2 / 2

No intercept: vectors of sentences are far from the origin already.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

C = 10.0
ITERATIONS = 150
TOLERANCE = 1e-4
"""Of the largest step of a weight; the largest weights are about 10."""

Check = Callable[[], None]
"""Raises where nobody waits for the outcome any more."""


class Stopped(Exception):
    """Nobody waits for the outcome any more."""


def nothing() -> None:
    """For those who are never stopped."""


def fit(vectors: Floats, targets: Ints, classes: int, check: Check = nothing) -> Floats:
    """Weights, [classes, hidden], for unit `vectors`, [texts, hidden], of classes `targets`.

    `check` is asked before each iteration.
    """
    gram = vectors.T @ vectors
    # The Hessian of the softmax is at most 1/2 (Boehning, 1992).
    lipschitz = C * 0.5 * float(np.linalg.eigvalsh(gram)[-1]) + 1.0
    rows = np.arange(len(vectors))
    weights = np.zeros((classes, vectors.shape[1]), dtype=np.float32)
    ahead, momentum = weights, 1.0
    for _ in range(ITERATIONS):
        check()
        errors = softmax(vectors @ ahead.T)
        errors[rows, targets] -= 1.0
        moved = ahead - (C * (errors.T @ vectors) + ahead) / np.float32(lipschitz)
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum * momentum))
        step = moved - weights
        ahead = moved + np.float32((momentum - 1.0) / following) * step
        weights, momentum = moved, following
        if float(np.abs(step).max()) < TOLERANCE:
            break
    return weights


def softmax(logits: Floats) -> Floats:
    """Over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shifted /= shifted.sum(axis=-1, keepdims=True)
    normalized: Floats = shifted
    return normalized
