"""Classifiers of the fake backend: real files, of means of made-up vectors.

Pure. Their figures are of the examples themselves, and their intervals say nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

from llmaas_client.wire.classifiers import (
    ClassEvaluation,
    ClassifierCard,
    ClassifierCreate,
    Evaluation,
    Interval,
    counts_of,
    pairs_of,
)
from llmaas_server.seam import heads
from llmaas_server.seam.values import ModelRef

Vector = Sequence[float]
Embed = Callable[[str], Vector]


def train(request: ClassifierCreate, model: ModelRef, embed: Embed) -> bytes:
    """The file: for each label the mean of its examples."""
    pairs = pairs_of(request.examples)
    counts = counts_of(request.examples)
    labels = list(counts)
    rows = [_mean([embed(text) for text, its in pairs if its == label]) for label in labels]
    right = dict.fromkeys(labels, 0)
    for text, label in pairs:
        scores = _dots(rows, embed(text))
        right[label] += labels[scores.index(max(scores))] == label
    share = sum(right.values()) / len(pairs)
    none = Interval(value=0.0, low=0.0, high=1.0)
    evaluation = Evaluation(
        examples=len(pairs),
        folds=2,
        accuracy=Interval(value=share, low=0.0, high=1.0),
        majority=max(counts.values()) / len(pairs),
        macro_f1=share,
        classes=[
            ClassEvaluation(
                label=label,
                examples=counts[label],
                precision=share,
                recall=right[label] / counts[label],
                f1=share,
            )
            for label in labels
        ],
        confusions=[],
        ece_before=none,
        ece_after=none,
        operating=[],
    )
    card = ClassifierCard(
        model=model.name,
        fingerprint=model.fingerprint,
        dimensions=len(rows[0]),
        labels=labels,
        temperature=1.0,
        calibration="none",
        evaluation=evaluation,
    )
    return heads.write(heads.Head(card, array("f", [x for row in rows for x in row]).tobytes()))


def judge(file: bytes, text: str, embed: Embed) -> dict[str, float]:
    """Label -> likeness, above 0."""
    head = heads.read(file)
    numbers = array("f", head.weights)
    width = head.card.dimensions
    rows = [numbers[start : start + width] for start in range(0, len(numbers), width)]
    return {
        label: max(score, 0.0) + 1e-6
        for label, score in zip(head.card.labels, _dots(rows, embed(text)), strict=True)
    }


def _mean(vectors: Sequence[Vector]) -> list[float]:
    return [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]


def _dots(rows: Sequence[Sequence[float]], vector: Vector) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in rows]
