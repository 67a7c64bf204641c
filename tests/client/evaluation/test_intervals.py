"""Figures against independent formulas, and intervals against what they promise."""

from __future__ import annotations

import random

import numpy as np
import pytest

from llmaas_client.evaluation.calibration import bins, calibration_error
from llmaas_client.evaluation.intervals import mean, quantile, resamples, wilson
from llmaas_client.evaluation.ranking import auc


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [  # as R's prop.test(correct = FALSE) has them
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson(hits: int, count: int, low: float, high: float) -> None:
    found = wilson(hits, count)
    assert found.value == hits / count
    assert (found.low, found.high) == pytest.approx((low, high), abs=2e-4)


def test_the_mean_of_pairs() -> None:
    chance = random.Random(1)
    values = [chance.gauss(0.3, 1.0) for _ in range(400)]
    found = mean(values)
    assert found.value == pytest.approx(np.mean(values))
    normal = 1.96 * float(np.std(values)) / 20
    assert found.value - found.low == pytest.approx(normal, rel=0.12)
    assert found.high - found.value == pytest.approx(normal, rel=0.12)
    assert mean(values) == found  # nothing of it is by chance


def test_a_constant_has_no_width() -> None:
    found = mean([0.25] * 30)
    assert (found.low, found.high) == (0.25, 0.25)
    assert found.excludes(0.0)
    assert not found.excludes(0.25)


def test_quantiles_are_numpys() -> None:
    values = sorted(random.Random(2).random() for _ in range(101))
    for share in (0.025, 0.5, 0.975):
        assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)))


def test_of_very_many_values_fewer_resamples_are_taken() -> None:
    assert (resamples(10), resamples(40_000), resamples(10**7)) == (1000, 100, 100)


def binned(confidences: list[float], correct: list[bool]) -> float:
    """The calibration error as numpy computes it."""
    order = np.argsort(confidences, kind="stable")
    parts = np.array_split(order, 15)
    sure, right = np.array(confidences), np.array(correct, dtype=float)
    gaps = [len(part) * abs(sure[part].mean() - right[part].mean()) for part in parts if len(part)]
    return float(sum(gaps) / len(order))


@pytest.mark.parametrize("count", [1, 14, 15, 16, 500])
def test_the_calibration_error(count: int) -> None:
    chance = random.Random(count)
    confidences = [chance.uniform(0.3, 1.0) for _ in range(count)]
    correct = [chance.random() < 0.8 * sure for sure in confidences]
    found = calibration_error(confidences, correct)
    assert found.value == pytest.approx(binned(confidences, correct))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_a_known_calibration_error() -> None:
    """Scores of 0.9 that are right in 6 of 10 cases."""
    correct = [index % 10 < 6 for index in range(1500)]
    assert calibration_error([0.9] * 1500, correct).value == pytest.approx(0.3)


def test_scores_that_keep_their_word_have_an_interval_near_zero() -> None:
    chance = random.Random(3)
    confidences = [chance.uniform(0.5, 1.0) for _ in range(3000)]
    correct = [chance.random() < sure for sure in confidences]
    assert calibration_error(confidences, correct).low < 0.01


def test_bins_hold_all_rows_once() -> None:
    chance = random.Random(4)
    confidences = [chance.random() for _ in range(100)]
    found = bins(confidences, [sure > 0.5 for sure in confidences])
    assert [one.rows for one in found] == [7] * 10 + [6] * 5
    assert found[0].lowest == min(confidences)
    assert found[-1].highest == max(confidences)
    assert found[0].accuracy.value == 0.0
    assert found[-1].accuracy.value == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_auc_is_the_share_of_pairs_in_order(seed: int) -> None:
    chance = random.Random(seed)
    positives = [round(chance.gauss(0.6, 0.3), 1) for _ in range(30)]  # rounded: many are equal
    negatives = [round(chance.gauss(0.4, 0.3), 1) for _ in range(40)]
    pairs = [(one > other) + 0.5 * (one == other) for one in positives for other in negatives]
    assert auc(positives, negatives).value == pytest.approx(sum(pairs) / len(pairs))


def test_auc_at_its_ends() -> None:
    perfect = auc([0.9] * 20, [0.1] * 20)
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert 0.8 < perfect.low < 0.95
    worst = auc([0.1] * 20, [0.9] * 20)
    assert (worst.value, worst.low) == (0.0, 0.0)
    assert worst.high == pytest.approx(1 - perfect.low)
    assert auc([0.5] * 20, [0.5] * 20).value == 0.5


def test_the_interval_of_an_auc_keeps_its_word() -> None:
    """Of 300 samples of two normal distributions, about 95 % have the true area in theirs."""
    chance = random.Random(5)
    true = 0.7602  # of means one standard deviation apart: Phi(1 / sqrt(2))
    inside = 0
    for _ in range(300):
        found = auc(
            [chance.gauss(1, 1) for _ in range(40)], [chance.gauss(0, 1) for _ in range(30)]
        )
        inside += found.low <= true <= found.high
    assert 0.91 <= inside / 300 <= 0.99
