"""From logits to probabilities that mean something, and how well those keep their word.

One temperature for all logits (Guo et al. 2017) moves every confidence the same way. Where labels
are not sure of themselves in the same way, each gets a scale and an offset of its own beside it:

    softmax(logits / temperature * scales + offsets)

That is Guo's vector scaling, drawn towards the temperature alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmaas_client.wire.classifiers import PerClass

from .logistic import Floats, Ints, softmax

DEFAULT = 0.35
"""What heads of eight examples a label have come to, on questions and requests of many kinds."""

ENOUGH = 50
"""With fewer points the temperature is drawn towards the default."""

BINS = 15
RESAMPLES = 200
SEED = 0

Bools = NDArray[np.bool_]
_GOLDEN = (math.sqrt(5) - 1) / 2
_LOWEST, _HIGHEST = math.log(0.02), math.log(20.0)
_STEPS = 24


@dataclass(frozen=True, slots=True)
class Calibration:
    """What makes the logits of a head those of probabilities: logits * factors + offsets."""

    temperature: float
    per_class: PerClass | None = None

    @property
    def factors(self) -> Floats:
        """[labels], or [1] where all labels have the same."""
        scales = [1.0] if self.per_class is None else self.per_class.scales
        return np.asarray(scales, dtype=np.float32) / np.float32(self.temperature)

    @property
    def offsets(self) -> Floats:
        """[labels], or [1] where all labels have the same: zero."""
        offsets = [0.0] if self.per_class is None else self.per_class.offsets
        return np.asarray(offsets, dtype=np.float32)

    def of(self, logits: Floats) -> Floats:
        """Calibrated logits, [texts, labels]."""
        return logits * self.factors + self.offsets


@dataclass(frozen=True, slots=True)
class Answers:
    """The best label of each text and its probability, [texts]."""

    predicted: Ints
    confidence: Floats

    @staticmethod
    def of(logits: Floats) -> Answers:
        return Answers(logits.argmax(axis=1), softmax(logits).max(axis=1))


def fit_temperature(logits: Floats, targets: Ints) -> float:
    """The temperature of least negative log-likelihood, by golden section on its logarithm.

    Of fewer than `ENOUGH` points it has as much weight as they are part of that number.
    """
    if not len(targets):
        return DEFAULT
    low, high = _LOWEST, _HIGHEST
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = _loss(logits, targets, left), _loss(logits, targets, right)
    for _ in range(_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = _loss(logits, targets, left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = _loss(logits, targets, right)
    trust = min(1.0, len(targets) / ENOUGH)
    return math.exp(trust * (low + high) / 2 + (1.0 - trust) * math.log(DEFAULT))


def _loss(logits: Floats, targets: Ints, log_temperature: float) -> float:
    return float(losses(logits / np.float32(math.exp(log_temperature)), targets).mean())


def losses(logits: Floats, targets: Ints) -> Floats:
    """The negative log-likelihood of each text, [texts]."""
    chosen = softmax(logits)[np.arange(len(targets)), targets]
    found: Floats = -np.log(np.maximum(chosen, 1e-30))
    return found


def calibration_error(confidences: Floats, correct: Bools) -> float:
    """The mean distance of confidence and accuracy over bins of equal mass (ECE)."""
    order = np.argsort(confidences, kind="stable")
    gaps = (confidences - correct)[order]
    return float(sum(abs(part.sum()) for part in np.array_split(gaps, BINS)) / len(gaps))


def reliability(confidences: Floats, correct: Bools) -> list[tuple[int, float, float]]:
    """The bins of `calibration_error`: count, mean confidence, accuracy; the least sure first."""
    order = np.argsort(confidences, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    return [
        (len(part), float(confidences[part].mean()), float(correct[part].mean())) for part in bins
    ]


def resampled(confidences: Floats, correct: Bools) -> tuple[float, float]:
    """The 95 % interval of the calibration error, by the bootstrap.

    Basic (reflected) and not of percentiles: resampling adds noise to each bin, and the error is
    a sum of absolute values, so that resamples lie above it.
    """
    generator = np.random.default_rng(SEED)
    count = len(confidences)
    error = calibration_error(confidences, correct)
    found = np.empty(RESAMPLES)
    for index in range(RESAMPLES):
        chosen = generator.integers(0, count, count)
        found[index] = calibration_error(confidences[chosen], correct[chosen])
    low, high = np.quantile(found, (0.975, 0.025))
    return max(0.0, 2 * error - float(low)), min(1.0, max(error, 2 * error - float(high)))
