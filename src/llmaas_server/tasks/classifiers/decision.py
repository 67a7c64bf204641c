"""From scores to an answer: which labels hold, and where to abstain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Judged

MULTI_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Rules:
    """How the scores of one request are read."""

    labels: tuple[str, ...]
    multi: bool
    """Labels are judged alone, and any number of them may hold."""
    top_k: int | None
    threshold: float | None
    scope_threshold: float | None = None
    """Of a classifier: below it a text deserves none of the labels; None where nobody has said."""

    def best(self, row: Sequence[float]) -> int:
        """The first of the labels with the highest score."""
        return int(np.argmax(row))

    def holds(self, label: int, row: Sequence[float]) -> bool:
        """Whether a label is what the scores say: the best one; or high enough, judged alone."""
        if not self.multi:
            return self.best(row) == label
        return row[label] >= (MULTI_THRESHOLD if self.threshold is None else self.threshold)

    def answer(self, judged: Judged, text: int) -> dict[str, Any]:
        """The answer for one of the texts."""
        row = judged.scores[text].tolist()
        result = decide(self.labels, row, self.multi, self.top_k, self.threshold)
        if judged.windows is not None:
            result["windows"] = judged.windows[text]
        if judged.scope_scores is None:
            return result
        score = judged.scope_scores[text]
        decision = None if self.scope_threshold is None else score >= self.scope_threshold
        if decision is False:
            result |= {"label": None, "labels": [], "abstained": True}
        return result | {"in_scope": {"score": score, "decision": decision}}


def decide(
    labels: Sequence[str],
    scores: Sequence[float],
    multi: bool,
    top_k: int | None,
    threshold: float | None,
) -> dict[str, Any]:
    """The answer for one text. Labels of equal score keep the order of the request."""
    ranked = sorted(zip(labels, scores, strict=True), key=lambda item: -item[1])
    best, score = ranked[0]
    if multi:
        least = MULTI_THRESHOLD if threshold is None else threshold
        holding = [label for label, value in ranked if value >= least]
    else:
        holding = [best] if threshold is None or score >= threshold else []
    return {
        "label": best if holding else None,
        "score": score,
        "labels": holding,
        "scores": [{"label": label, "score": value} for label, value in ranked[:top_k]],
        "abstained": not holding,
    }
