"""From vectors of examples to a head: fitted, tried by cross-validation, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmaas_client.wire.classifiers import Evaluation, Scope

from .calibration import confidence, fit_temperature
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


@dataclass(frozen=True, slots=True)
class Trained:
    weights: Floats
    """[labels, hidden]"""
    temperature: float
    calibration: str
    scope: Scope | None
    evaluation: Evaluation


def train(material: Material, check: Check = nothing) -> Trained:
    """Takes seconds; `check` is asked often, and stops it by raising."""
    everything = np.arange(len(material.targets))
    weights = _fit(material, everything, check)
    folds = number_of_folds(material.targets)
    fold = fold_of_each(material.targets, folds)
    logits = _out_of_fold(material, fold, folds, check)

    temperature = fit_temperature(logits, material.targets)
    held_out = np.empty(len(logits), dtype=np.float32)
    for others, own in splits(fold, folds):
        check()
        found = fit_temperature(logits[others], material.targets[others])
        held_out[own] = confidence(logits[own], found)
    scope, separation = _scope(material, logits, weights)
    return Trained(
        weights,
        temperature,
        f"temperature, {folds}-fold",
        scope,
        evaluate(
            material.labels,
            material.targets,
            logits.argmax(axis=1),
            folds,
            confidence(logits, 1.0),
            held_out,
            confidence(logits, temperature),
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
