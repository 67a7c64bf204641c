"""Calibration of each label: taken where labels differ in how sure they are, and only there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from llmaas_client.wire.classifiers import CalibrationChoice, PerClass
from llmaas_server.tasks.heads import per_class
from llmaas_server.tasks.heads.calibration import (
    Answers,
    Calibration,
    calibration_error,
    losses,
)
from llmaas_server.tasks.heads.choosing import LEAST_OF_A_CLASS, Calibrated, calibrate
from llmaas_server.tasks.heads.folds import fold_of_each
from llmaas_server.tasks.heads.logistic import Floats, Ints, Stopped, nothing, softmax
from llmaas_server.tasks.heads.training import train
from support.blobs import blobs

LABELS = 4
UNEQUAL = PerClass(scales=[0.4, 2.5, 1.0, 0.8], offsets=[1.2, -1.0, 0.0, 0.4])
"""One label boasts, one doubts itself."""
EQUAL = PerClass(scales=[1.0] * LABELS, offsets=[0.0] * LABELS)


def draws(true: PerClass, count: int, seed: int = 0) -> tuple[Floats, Ints]:
    """Logits, and labels drawn with the probabilities that `true` makes of them."""
    generator = np.random.default_rng(seed)
    logits = 2.0 * generator.normal(size=(count, LABELS)).astype(np.float32)
    chances = softmax(Calibration(1.0, true).of(logits)).cumsum(axis=1)
    return logits, (generator.random((count, 1)) > chances[:, :-1]).sum(axis=1)


def chosen(logits: Floats, targets: Ints, wanted: CalibrationChoice = "auto") -> Calibrated:
    return calibrate(wanted, logits, targets, fold_of_each(targets, 5), 5, nothing)


def errors_on(calibration: Calibration, true: PerClass) -> list[float]:
    """The calibration errors of answers with each label, on texts that were not seen."""
    logits, targets = draws(true, 40_000, seed=1)
    answers = Answers.of(calibration.of(logits))
    correct = answers.predicted == targets
    own = [answers.predicted == label for label in range(LABELS)]
    return [calibration_error(answers.confidence[these], correct[these]) for these in own]


def test_scales_and_offsets_are_found() -> None:
    logits, targets = draws(UNEQUAL, 20_000)
    found = per_class.fit_per_class(logits, targets)
    assert found.scales == pytest.approx(UNEQUAL.scales, rel=0.1)
    # What all offsets have in common says nothing.
    moved = np.subtract(found.offsets, np.mean(found.offsets))
    assert moved == pytest.approx(np.subtract(UNEQUAL.offsets, np.mean(UNEQUAL.offsets)), abs=0.1)


def test_the_fit_is_at_the_bottom() -> None:
    """Nothing near it is better: of the loss that the module describes, written out here."""
    logits, targets = draws(UNEQUAL, 400)
    found = per_class.fit_per_class(logits, targets)
    point = np.array([np.log(found.scales), found.offsets])

    def loss(at: np.ndarray) -> float:
        one = PerClass(scales=np.exp(at[0]).tolist(), offsets=at[1].tolist())
        prior = (at[0] ** 2).sum() / (2 * 0.5**2) + (at[1] ** 2).sum() / 2
        return float(losses(Calibration(1.0, one).of(logits), targets).sum() + prior)

    lowest = loss(point)
    generator = np.random.default_rng(2)
    for _ in range(200):
        assert loss(point + 0.03 * generator.normal(size=point.shape)) > lowest - 0.01


def test_few_examples_stay_near_the_temperature() -> None:
    logits, targets = draws(UNEQUAL, 20_000)
    few = per_class.fit_per_class(logits[:12], targets[:12])
    none = per_class.fit_per_class(logits[:0], targets[:0])
    assert none == EQUAL
    many = per_class.fit_per_class(logits, targets)
    assert np.abs(np.log(few.scales)).max() < np.abs(np.log(many.scales)).max()


def test_labels_that_differ_get_a_calibration_each() -> None:
    logits, targets = draws(UNEQUAL, 4000)
    auto, shared = chosen(logits, targets), chosen(logits, targets, "temperature")
    assert auto.kind == "per_class"
    assert auto.likelihoods.per_class is not None
    assert auto.likelihoods.per_class < auto.likelihoods.temperature - 0.02
    assert max(errors_on(shared.calibration, UNEQUAL)) > 0.1
    assert max(errors_on(auto.calibration, UNEQUAL)) < 0.05


@pytest.mark.parametrize("seed", range(6))
def test_labels_that_do_not_differ_share_a_temperature(seed: int) -> None:
    logits, targets = draws(EQUAL, 1500, seed)
    found = chosen(logits, targets)
    assert found.kind == "temperature"
    assert found.calibration.per_class is None
    assert found.likelihoods.per_class is not None, "it was tried"
    assert found.calibration.temperature == pytest.approx(1.0, rel=0.15)


def test_too_few_examples_of_a_label_share_a_temperature() -> None:
    logits, targets = draws(UNEQUAL, 3000)
    kept = np.flatnonzero((targets != 2) | (np.cumsum(targets == 2) < LEAST_OF_A_CLASS))
    found = chosen(logits[kept], targets[kept])
    assert (targets[kept] == 2).sum() == LEAST_OF_A_CLASS - 1
    assert found.kind == "temperature"
    assert found.likelihoods.per_class is None, "it was not tried"
    assert chosen(logits[kept], targets[kept], "per_class").kind == "per_class"


def test_thresholds_rest_on_answers_that_others_have_calibrated() -> None:
    logits, targets = draws(UNEQUAL, 1500)
    found = chosen(logits, targets, "per_class")
    fold = fold_of_each(targets, 5)
    by_hand = chosen_by_others(logits, targets, fold)
    assert found.held_out.confidence == pytest.approx(by_hand, abs=1e-5)


def chosen_by_others(logits: Floats, targets: Ints, fold: Ints) -> Floats:
    confidences = np.empty(len(targets), dtype=np.float32)
    for number in range(5):
        others, own = fold != number, fold == number
        one = calibrate("per_class", logits[others], targets[others], fold[others] % 2, 2, nothing)
        confidences[own] = Answers.of(one.calibration.of(logits[own])).confidence
    return confidences


def test_a_head_whose_labels_are_unequal_says_so() -> None:
    """Many examples of one label, few of the others: it is answered too often."""
    material = blobs(3, 300, spread=0.6)
    kept = (material.targets == 0) | (np.arange(900) % 10 < 2)
    unequal = replace(material, vectors=material.vectors[kept], targets=material.targets[kept])
    auto = train(unequal)
    shared = train(replace(unequal, calibration="temperature"))
    assert auto.name == "per class, 5-fold"
    assert auto.calibration.per_class is not None
    assert shared.name == "temperature, 5-fold"
    assert shared.calibration.per_class is None
    assert auto.weights.tobytes() == shared.weights.tobytes()
    assert auto.evaluation.likelihoods is not None
    assert shared.evaluation.likelihoods is not None
    assert auto.evaluation.likelihoods.per_class is not None
    assert shared.evaluation.likelihoods.per_class is None
    assert auto.evaluation.likelihoods.per_class < shared.evaluation.likelihoods.temperature
    assert auto.evaluation.accuracy.value >= shared.evaluation.accuracy.value - 0.02


def test_it_stops_when_nobody_waits() -> None:
    logits, targets = draws(UNEQUAL, 200)

    def check() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        per_class.fit_per_class(logits, targets, check)
