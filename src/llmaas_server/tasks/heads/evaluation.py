"""What cross-validation says of a head, in figures that people can judge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llmaas_client.wire.classifiers import (
    ClassEvaluation,
    Confusion,
    Evaluation,
    Interval,
    Likelihoods,
    ReliabilityBin,
)

from .calibration import Answers, calibration_error, reliability, resampled
from .logistic import Ints
from .selective import operating_points, wilson

MOST_CONFUSIONS = 20
FEW_OF_A_CLASS = 8
FEW_IN_ALL = 50
"""Below, a calibration error is mostly noise."""


def evaluate(
    labels: Sequence[str],
    targets: Ints,
    folds: int,
    raw: Answers,
    held_out: Answers,
    kept: Answers,
    likelihoods: Likelihoods,
    out_of_scope_auroc: float | None = None,
) -> Evaluation:
    """The figures of out-of-fold answers, [texts].

    They are `raw`, `held_out` by calibrations of the other folds, and `kept` for thresholds.
    """
    predicted = held_out.predicted
    correct = predicted == targets
    count, hits = len(targets), int(correct.sum())
    low, high = wilson(hits, count)
    majority = float(np.bincount(targets).max() / count)
    accuracy = Interval(value=hits / count, low=low, high=high)
    classes = _classes(labels, targets, predicted)
    return Evaluation(
        examples=count,
        folds=folds,
        accuracy=accuracy,
        majority=majority,
        macro_f1=float(np.mean([one.f1 for one in classes])),
        classes=classes,
        confusions=_confusions(labels, targets, predicted),
        ece_before=_error(raw, targets),
        ece_after=_error(held_out, targets),
        reliability=[
            ReliabilityBin(examples=size, confidence=mean, accuracy=share)
            for size, mean, share in reliability(held_out.confidence, correct)
        ],
        likelihoods=likelihoods,
        out_of_scope_auroc=out_of_scope_auroc,
        operating=operating_points(kept.confidence, kept.predicted == targets),
        warnings=_warnings(classes, accuracy, majority),
    )


def _error(answers: Answers, targets: Ints) -> Interval:
    correct = answers.predicted == targets
    low, high = resampled(answers.confidence, correct)
    error = calibration_error(answers.confidence, correct)
    return Interval(value=error, low=low, high=high)


def _classes(labels: Sequence[str], targets: Ints, predicted: Ints) -> list[ClassEvaluation]:
    count = len(labels)
    there = np.bincount(targets, minlength=count)
    said = np.bincount(predicted, minlength=count)
    right = np.bincount(targets[predicted == targets], minlength=count)
    precision = right / np.maximum(said, 1)
    recall = right / np.maximum(there, 1)
    f1 = 2 * right / np.maximum(said + there, 1)
    return [
        ClassEvaluation(
            label=label,
            examples=int(there[index]),
            precision=float(precision[index]),
            recall=float(recall[index]),
            f1=float(f1[index]),
        )
        for index, label in enumerate(labels)
    ]


def _confusions(labels: Sequence[str], targets: Ints, predicted: Ints) -> list[Confusion]:
    wrong = predicted != targets
    pairs, counts = np.unique(
        np.stack([targets[wrong], predicted[wrong]]), axis=1, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")[:MOST_CONFUSIONS]
    return [
        Confusion(
            label=labels[pairs[0, index]],
            predicted=labels[pairs[1, index]],
            count=int(counts[index]),
        )
        for index in order.tolist()
    ]


def _warnings(classes: Sequence[ClassEvaluation], accuracy: Interval, majority: float) -> list[str]:
    warnings = []
    few = [one.label for one in classes if one.examples < FEW_OF_A_CLASS]
    if few:
        named = ", ".join(repr(label) for label in few[:5]) + (", …" if few[5:] else "")
        warnings.append(
            f"{len(few)} of {len(classes)} labels have fewer than {FEW_OF_A_CLASS} examples: "
            f"{named}"
        )
    if (count := sum(one.examples for one in classes)) < FEW_IN_ALL:
        warnings.append(
            f"{count} examples are few: calibration is drawn towards a default, and its error is "
            "mostly noise"
        )
    if accuracy.low <= majority:
        warnings.append(
            f"accuracy is {accuracy.value:.2f} (from {accuracy.low:.2f} to {accuracy.high:.2f}), "
            f"and always saying the most frequent label gives {majority:.2f}"
        )
    return warnings
