"""A head over vectors: what it learns, and what it says of itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from llmaas_server.tasks.heads.logistic import C, Stopped, fit, softmax
from llmaas_server.tasks.heads.training import train
from support.blobs import blobs, unit


def test_the_gradient_is_zero_where_it_ends() -> None:
    material = blobs(4, 10, spread=0.3)
    weights = fit(material.vectors, material.targets, 4).astype(np.float64)
    vectors = material.vectors.astype(np.float64)
    errors = softmax((vectors @ weights.T).astype(np.float32)).astype(np.float64)
    errors[np.arange(40), material.targets] -= 1.0
    gradient = C * errors.T @ vectors + weights
    assert np.abs(gradient).max() < 0.05
    assert np.abs(weights).max() > 1.0


def test_clear_classes_are_learned_and_shown_so() -> None:
    trained = train(blobs(5, 12))
    assert trained.evaluation.accuracy.value == 1.0
    assert trained.evaluation.macro_f1 == 1.0
    assert trained.evaluation.confusions == []
    assert trained.evaluation.folds == 5
    assert trained.name == "temperature, 5-fold"
    assert [one.examples for one in trained.evaluation.classes] == [12] * 5


def test_the_same_examples_make_the_same_head() -> None:
    material = blobs(3, 9, spread=0.4)
    first, second = train(material), train(material)
    assert first.weights.tobytes() == second.weights.tobytes()
    assert first.evaluation == second.evaluation


def test_figures_foretell_unseen_texts() -> None:
    material = blobs(6, 80, spread=0.45)
    seen = np.arange(len(material.targets)) % 2 == 0
    trained = train(
        replace(material, vectors=material.vectors[seen], targets=material.targets[seen])
    )
    predicted = (material.vectors[~seen] @ trained.weights.T).argmax(axis=1)
    accuracy = float((predicted == material.targets[~seen]).mean())
    found = trained.evaluation.accuracy
    assert 0.4 < found.value < 0.98, "the classes should be hard to tell apart"
    assert abs(found.value - accuracy) < 0.1
    assert found.low < found.value < found.high
    count = trained.evaluation.examples
    wrong = sum(one.count for one in trained.evaluation.confusions)
    assert 0 < wrong <= round((1 - found.value) * count)


def test_calibration_lowers_the_error() -> None:
    evaluation = train(blobs(6, 60, spread=0.4)).evaluation
    assert evaluation.ece_after.value < evaluation.ece_before.value
    bins = evaluation.reliability
    distances = [one.examples * abs(one.confidence - one.accuracy) for one in bins]
    assert sum(distances) / evaluation.examples == pytest.approx(evaluation.ece_after.value, 1e-3)
    assert [one.confidence for one in bins] == sorted(one.confidence for one in bins)
    assert evaluation.ece_after.low <= evaluation.ece_after.value <= evaluation.ece_after.high


@pytest.mark.parametrize(("smallest", "folds"), [(2, 2), (3, 3), (9, 5)])
def test_there_are_as_many_folds_as_the_smallest_class_allows(smallest: int, folds: int) -> None:
    material = blobs(3, 9)
    kept = (material.targets > 0) | (np.arange(27) < smallest)
    fewer = replace(material, vectors=material.vectors[kept], targets=material.targets[kept])
    trained = train(fewer)
    assert trained.evaluation.folds == folds
    assert trained.name == f"temperature, {folds}-fold"


def test_few_examples_are_warned_of() -> None:
    warnings = " ".join(train(blobs(3, 3)).evaluation.warnings)
    assert "3 of 3 labels have fewer than 8 examples" in warnings
    assert "9 examples are few" in warnings
    assert train(blobs(3, 30)).evaluation.warnings == []


def test_chance_is_warned_of() -> None:
    material = blobs(2, 30)
    shuffled = np.random.default_rng(1).permutation(material.targets)
    without_words = replace(
        material, targets=shuffled, words=material.words[:0], word_targets=shuffled[:0]
    )
    assert any("always saying" in text for text in train(without_words).evaluation.warnings)


def test_strangers_are_told_apart() -> None:
    material = blobs(5, 20)
    strangers = unit(np.random.default_rng(5).normal(size=(40, 32)).astype(np.float32))
    trained = train(replace(material, outside=strangers[:20]))
    assert trained.scope is not None
    assert trained.scope.basis == "20 examples out of scope"
    assert (trained.evaluation.out_of_scope_auroc or 0) > 0.95
    unseen = (strangers[20:] @ trained.weights.T).max(axis=1)
    assert (unseen < trained.scope.threshold).mean() > 0.8
    own = (material.vectors @ trained.weights.T).max(axis=1)
    assert (own >= trained.scope.threshold).mean() > 0.9


def test_a_quantile_refuses_that_share() -> None:
    trained = train(replace(blobs(4, 50, spread=0.3), scope_quantile=0.1))
    assert trained.scope is not None
    assert trained.scope.basis == "quantile 0.1 of 200 examples"
    assert trained.evaluation.out_of_scope_auroc is None


def test_it_stops_when_nobody_waits() -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Stopped

    with pytest.raises(Stopped):
        train(blobs(3, 5), check)
    assert calls == 3
