"""A scale and an offset for each label: fitted by Newton's method, with a prior.

    loss = sum of the negative log-likelihoods
         + sum of (log scale)^2 / (2 * SPREAD_OF_SCALES^2) + offset^2 / (2 * SPREAD_OF_OFFSETS^2)

The prior is what keeps labels of few examples near the temperature that all have in common.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llmaas_client.wire.classifiers import PerClass

from .logistic import Check, Floats, Ints, nothing, softmax

SPREAD_OF_SCALES = 0.5
SPREAD_OF_OFFSETS = 1.0
ITERATIONS = 30
HALVINGS = 12
TOLERANCE = 1e-6
"""Of the loss, relative to what it is."""

_SCALE_PENALTY = 1.0 / SPREAD_OF_SCALES**2
_OFFSET_PENALTY = 1.0 / SPREAD_OF_OFFSETS**2
Doubles = NDArray[np.float64]


def fit_per_class(logits: Floats, targets: Ints, check: Check = nothing) -> PerClass:
    """For `logits` that are divided by the temperature, [texts, labels].

    `check` is asked before each iteration.
    """
    problem = _Problem(logits, targets)
    # [2, labels]: logarithms of the scales, and offsets.
    point: Doubles = np.zeros((2, logits.shape[1]))
    loss = problem.loss(point)
    for _ in range(ITERATIONS):
        check()
        step = problem.step(point)
        for _ in range(HALVINGS):
            following = point + step
            at_following = problem.loss(following)
            if at_following <= loss:
                break
            step = step / 2  # labels are moved as if the others stood still: that goes too far
        else:
            break
        done = loss - at_following < TOLERANCE * loss
        point, loss = following, at_following
        if done:
            break
    return PerClass(scales=np.exp(point[0]).tolist(), offsets=point[1].tolist())


class _Problem:
    def __init__(self, logits: Floats, targets: Ints) -> None:
        self._logits = logits
        self._rows = np.arange(len(targets))
        self._targets = targets

    def loss(self, point: Doubles) -> float:
        probabilities = softmax(self._calibrated(point)[1])[self._rows, self._targets]
        prior = _SCALE_PENALTY * (point[0] ** 2).sum() + _OFFSET_PENALTY * (point[1] ** 2).sum()
        return float(-np.log(np.maximum(probabilities, 1e-30)).sum() + prior / 2)

    def step(self, point: Doubles) -> Doubles:
        """Newton's step for each label by itself: the 2 x 2 blocks of the Hessian."""
        scaled, calibrated = self._calibrated(point)
        probabilities = softmax(calibrated)
        errors = probabilities.copy()
        errors[self._rows, self._targets] -= 1.0
        weights = probabilities * (1.0 - probabilities)
        by_scale = (errors * scaled).sum(axis=0) + _SCALE_PENALTY * point[0]
        by_offset = errors.sum(axis=0) + _OFFSET_PENALTY * point[1]
        scale_scale = (weights * scaled**2).sum(axis=0) + _SCALE_PENALTY
        scale_offset = (weights * scaled).sum(axis=0)
        offset_offset = weights.sum(axis=0) + _OFFSET_PENALTY
        determinant = scale_scale * offset_offset - scale_offset**2
        return -np.stack(
            [
                (offset_offset * by_scale - scale_offset * by_offset) / determinant,
                (scale_scale * by_offset - scale_offset * by_scale) / determinant,
            ]
        )

    def _calibrated(self, point: Doubles) -> tuple[Floats, Floats]:
        """The logits, scaled, and then with their offsets."""
        scales, offsets = np.exp(point[0]).astype(np.float32), point[1].astype(np.float32)
        scaled = self._logits * scales
        return scaled, scaled + offsets
