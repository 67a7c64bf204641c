"""From vectors of examples to a head: fitted, tried by cross-validation, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmaas_client.wire.classifiers import CalibrationChoice, Evaluation, Scope

from .calibration import Answers, Calibration
from .choosing import NAMES, calibrate
from .evaluation import evaluate
from .folds import fold_of_each, number_of_folds, splits
from .logistic import Check, Floats, Ints, fit, nothing
from .scope import at_quantile, auroc, between, scope_scores


@dataclass(frozen=True, slots=True)
class Material:
    """What there is to learn from; vectors have unit length."""

    labels: tuple[str, ...]
    vectors: Floats
    """[examples, hidden]"""
    targets: Ints
    """[examples], indices of labels; each at least twice."""
    words: Floats
    """[words, hidden], of names and descriptions: evidence that is never tried."""
    word_targets: Ints
    outside: Floats | None = None
    """[texts, hidden], out of scope."""
    scope_quantile: float | None = None
    calibration: CalibrationChoice = "auto"


@dataclass(frozen=True, slots=True)
class Trained:
    weights: Floats
    """[labels, hidden]"""
    calibration: Calibration
    name: str
    """Of the calibration, such as `temperature, 5-fold`."""
    scope: Scope | None
    evaluation: Evaluation


def train(material: Material, check: Check = nothing) -> Trained:
    """Takes seconds; `check` is asked often, and stops it by raising."""
    everything = np.arange(len(material.targets))
    weights = _fit(material, everything, check)
    folds = number_of_folds(material.targets)
    fold = fold_of_each(material.targets, folds)
    logits = _out_of_fold(material, fold, folds, check)

    calibrated = calibrate(material.calibration, logits, material.targets, fold, folds, check)
    calibration = calibrated.calibration
    # One number is fitted to all answers without harm; a scale and an offset for each label are
    # not, and their answers are those that other folds have calibrated.
    kept = calibrated.held_out if calibration.per_class else Answers.of(calibration.of(logits))
    scope, separation = _scope(material, logits, weights)
    return Trained(
        weights,
        calibration,
        f"{NAMES[calibrated.kind]}, {folds}-fold",
        scope,
        evaluate(
            material.labels,
            material.targets,
            folds,
            Answers.of(logits),
            calibrated.held_out,
            kept,
            calibrated.likelihoods,
            separation,
        ),
    )


def _fit(material: Material, chosen: Ints, check: Check) -> Floats:
    vectors = np.concatenate([material.vectors[chosen], material.words])
    targets = np.concatenate([material.targets[chosen], material.word_targets])
    return fit(vectors, targets, len(material.labels), check)


def _out_of_fold(material: Material, fold: Ints, folds: int, check: Check) -> Floats:
    """Logits, [examples, labels], of each example by a head that has not seen it."""
    logits = np.empty((len(material.targets), len(material.labels)), dtype=np.float32)
    for others, own in splits(fold, folds):
        logits[own] = material.vectors[own] @ _fit(material, others, check).T
    return logits


def _scope(
    material: Material, out_of_fold: Floats, weights: Floats
) -> tuple[Scope | None, float | None]:
    """How to refuse, and how well the two sides are told apart."""
    inside = scope_scores(out_of_fold)
    if material.outside is not None:
        outside = scope_scores(material.outside @ weights.T)
        return between(inside, outside), auroc(inside, outside)
    if material.scope_quantile is not None:
        return at_quantile(inside, material.scope_quantile), None
    return None, None


def labels_of(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Labels of examples (text, label), in the order of first appearance."""
    return tuple(dict.fromkeys(label for _, label in pairs))
