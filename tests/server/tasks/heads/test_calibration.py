from __future__ import annotations

import math

import numpy as np
import pytest

from llmaas_client.wire.operating import examples_needed, threshold_for
from llmaas_server.tasks.heads import calibration, selective
from llmaas_server.tasks.heads.folds import fold_of_each
from llmaas_server.tasks.heads.logistic import Floats, softmax
from llmaas_server.tasks.heads.scope import auroc, between


def draws(temperature: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and classes drawn with the probabilities that they have at this temperature."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(count, 4)).astype(np.float32)
    chances = softmax(logits / np.float32(temperature)).cumsum(axis=1)
    return logits, (generator.random((count, 1)) > chances[:, :-1]).sum(axis=1)


def confidence(logits: Floats, temperature: float) -> Floats:
    calibrated = calibration.Calibration(temperature).of(logits)
    return calibration.Answers.of(calibrated).confidence


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_the_temperature_is_found(temperature: float) -> None:
    logits, targets = draws(temperature, 20_000)
    assert calibration.fit_temperature(logits, targets) == pytest.approx(temperature, rel=0.07)


def test_few_points_are_drawn_towards_the_default() -> None:
    logits, targets = draws(3.0, 20_000)
    without = calibration.fit_temperature(logits[:0], targets[:0])
    assert without == calibration.DEFAULT
    all_right = np.full(10, 1)
    sure = np.tile(np.array([0.0, 1.0], dtype=np.float32), (10, 1))
    lowest = calibration.fit_temperature(np.tile(sure, (5, 1)), np.full(50, 1))
    assert lowest < calibration.fit_temperature(sure, all_right) < calibration.DEFAULT


def test_the_error_of_true_probabilities_is_small() -> None:
    logits, targets = draws(1.0, 20_000)
    correct = logits.argmax(axis=1) == targets
    true = calibration.calibration_error(confidence(logits, 1.0), correct)
    boastful = calibration.calibration_error(confidence(logits, 0.3), correct)
    assert true < 0.02
    assert boastful > 0.2


def test_the_error_of_one_bin_is_the_gap() -> None:
    confidences = np.full(30, 0.9, dtype=np.float32)
    correct = np.arange(30) % 2 == 0
    assert calibration.calibration_error(confidences[:1], correct[:1]) == pytest.approx(0.1)
    assert calibration.calibration_error(confidences, np.full(30, True)) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("errors", "answers", "bound"),
    [(0, 59, 0.0495), (0, 10, 0.2589), (1, 10, 0.3942), (5, 100, 0.1023), (10, 10, 1.0)],
)
def test_bounds_are_those_of_clopper_and_pearson(errors: int, answers: int, bound: float) -> None:
    """Against the quantile 0.95 of Beta(errors + 1, answers - errors)."""
    assert selective.upper_bound(errors, answers) == pytest.approx(bound, abs=5e-4)


def test_the_probability_of_few_errors_is_the_binomial_sum() -> None:
    by_hand = sum(math.comb(12, k) * 0.2**k * 0.8 ** (12 - k) for k in range(4))
    assert selective.at_most(3, 12, 0.2) == pytest.approx(by_hand)


def test_a_threshold_holds_what_it_promises() -> None:
    logits, targets = draws(0.35, 2000)
    confidences = confidence(logits, 0.35)
    correct = logits.argmax(axis=1) == targets
    points = selective.operating_points(confidences, correct)
    threshold = threshold_for(points, 2000, 0.05)
    answered = confidences >= np.float32(threshold)
    errors, answers = int((~correct[answered]).sum()), int(answered.sum())
    assert selective.upper_bound(errors, answers) <= 0.05
    assert 0.2 < answers / 2000 < 1.0
    lower = [point for point in points if point.threshold < threshold]
    assert lower
    assert all(point.error_bound > 0.05 for point in lower)


def test_equal_scores_share_their_fate() -> None:
    points = selective.operating_points(np.full(100, 0.5, dtype=np.float32), np.arange(100) > 3)
    assert [(point.threshold, point.coverage, point.error) for point in points] == [
        (0.5, 1.0, 0.04)
    ]


def test_too_few_examples_are_refused_with_the_number() -> None:
    points = selective.operating_points(
        np.linspace(0.5, 1, 20, dtype=np.float32), np.full(20, True)
    )
    with pytest.raises(ValueError, match=r"20 examples cannot show .* at least 59 are needed"):
        threshold_for(points, 20, 0.05)
    assert examples_needed(0.05) == 59
    assert threshold_for(points, 20, 0.2) == pytest.approx(0.5)


def test_errors_everywhere_are_refused() -> None:
    correct = np.arange(400) % 2 == 0
    points = selective.operating_points(np.linspace(0.5, 1, 400, dtype=np.float32), correct)
    with pytest.raises(ValueError, match=r"no threshold holds errors to 0\.05"):
        threshold_for(points, 400, 0.05)


def test_the_interval_of_a_share() -> None:
    low, high = selective.wilson(9, 10)
    assert (low, high) == pytest.approx((0.596, 0.982), abs=1e-3)


def test_folds_have_of_each_class_as_many() -> None:
    targets = np.repeat([0, 1, 2], [10, 7, 5])
    fold = fold_of_each(targets, 5)
    for label in range(3):
        counts = np.bincount(fold[targets == label], minlength=5)
        assert counts.max() - counts.min() <= 1
    counts = np.bincount(fold, minlength=5)
    assert counts.max() - counts.min() <= 1


def test_auroc_counts_pairs() -> None:
    inside, outside = np.array([3, 2, 1], dtype=np.float32), np.array([2, 0], dtype=np.float32)
    assert auroc(inside, outside) == pytest.approx((1 + 0.5 + 0 + 3) / 6)


def test_a_clear_gap_is_cut_in_its_middle() -> None:
    scope = between(np.array([5, 6, 7], dtype=np.float32), np.array([1, 2, 3], dtype=np.float32))
    assert scope.threshold == 4.0
