"""A classifier that nobody has trained."""

from __future__ import annotations

from llmaas_client.wire.classifiers import (
    ClassEvaluation,
    ClassifierCard,
    Evaluation,
    Interval,
)

SURE = Interval(value=1.0, low=0.9, high=1.0)
NONE = Interval(value=0.0, low=0.0, high=0.1)


def card(model: str = "tiny", fingerprint: str = "f" * 64) -> ClassifierCard:
    """For vectors of three dimensions, and two labels."""
    labels = ["good", "bad"]
    return ClassifierCard(
        model=model,
        fingerprint=fingerprint,
        dimensions=3,
        labels=labels,
        temperature=0.5,
        calibration="temperature, 2-fold",
        evaluation=Evaluation(
            examples=4,
            folds=2,
            accuracy=SURE,
            majority=0.5,
            macro_f1=1.0,
            classes=[
                ClassEvaluation(label=label, examples=2, precision=1.0, recall=1.0, f1=1.0)
                for label in labels
            ],
            confusions=[],
            ece_before=NONE,
            ece_after=NONE,
            operating=[],
        ),
    )
