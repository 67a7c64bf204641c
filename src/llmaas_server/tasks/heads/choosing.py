"""Which calibration a head gets: one temperature, or a scale and an offset of each label too."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from llmaas_client.wire.classifiers import CalibrationChoice, Likelihoods

from .calibration import Answers, Calibration, fit_temperature, losses
from .folds import splits
from .logistic import Check, Floats, Ints
from .per_class import fit_per_class

LEAST_OF_A_CLASS = 10
"""With fewer examples of a label its scale and offset are mostly noise: nobody asks for them."""

MOST_LOGITS = 4_000_000
"""Examples times labels: above it the fits of all folds would take a minute."""

Kind = Literal["temperature", "per_class"]
NAMES: dict[Kind, str] = {"temperature": "temperature", "per_class": "per class"}


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration, and what answers have come to with it."""

    calibration: Calibration
    kind: Kind
    held_out: Answers
    """Each by the calibration of the other folds."""
    likelihoods: Likelihoods


def calibrate(
    wanted: CalibrationChoice, logits: Floats, targets: Ints, fold: Ints, folds: int, check: Check
) -> Calibrated:
    """By `logits`, [examples, labels], of each example by a head that has not seen it.

    `auto` takes a calibration per class where it has the lower negative log-likelihood on
    examples that it has not seen, by more than the standard error of the difference, and where
    every label has `LEAST_OF_A_CLASS` examples.
    """
    shared = _held_out(_temperature, logits, targets, fold, folds, check)
    by_shared = losses(shared, targets)
    likelihoods = Likelihoods(temperature=float(by_shared.mean()))
    kind: Kind = "temperature"
    held_out = shared
    if wanted == "per_class" or (wanted == "auto" and can_be_per_class(logits, targets)):
        own = _held_out(_per_class, logits, targets, fold, folds, check)
        by_own = losses(own, targets)
        likelihoods = Likelihoods(
            temperature=float(by_shared.mean()), per_class=float(by_own.mean())
        )
        if wanted == "per_class" or _is_clearly_lower(by_own, by_shared):
            kind, held_out = "per_class", own
    fit = _FITS[kind]
    return Calibrated(fit(logits, targets, check), kind, Answers.of(held_out), likelihoods)


def can_be_per_class(logits: Floats, targets: Ints) -> bool:
    """Whether there are examples enough of each label, and not too many to try it."""
    fewest = int(np.bincount(targets, minlength=logits.shape[1]).min())
    return fewest >= LEAST_OF_A_CLASS and logits.size <= MOST_LOGITS


def _is_clearly_lower(these: Floats, those: Floats) -> bool:
    gained = those - these
    return float(gained.mean()) > float(gained.std()) / math.sqrt(len(gained))


def _temperature(logits: Floats, targets: Ints, check: Check) -> Calibration:
    check()
    return Calibration(fit_temperature(logits, targets))


def _per_class(logits: Floats, targets: Ints, check: Check) -> Calibration:
    temperature = fit_temperature(logits, targets)
    return Calibration(temperature, fit_per_class(logits / np.float32(temperature), targets, check))


Fit = Callable[[Floats, Ints, Check], Calibration]
_FITS: dict[Kind, Fit] = {"temperature": _temperature, "per_class": _per_class}


def _held_out(
    fit: Fit, logits: Floats, targets: Ints, fold: Ints, folds: int, check: Check
) -> Floats:
    """Calibrated logits, each by what the other folds say."""
    calibrated = np.empty_like(logits)
    for others, own in splits(fold, folds):
        calibrated[own] = fit(logits[others], targets[others], check).of(logits[own])
    return calibrated
