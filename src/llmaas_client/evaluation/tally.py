"""What is kept of labelled answers."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from llmaas_client.errors import ConfigurationError
from llmaas_client.wire.classify import Classification

from .asking import Refused
from .origin import Origin


class Tally:
    """What is kept of every row: numbers alone, so that a large file fits into memory."""

    def __init__(self, names: Sequence[str] | None) -> None:
        self.labels: dict[str, int] = {}
        for name in names or ():
            self.labels[name] = len(self.labels)
        self.truth = array("l")
        self.said = array("l")
        self.confidence = array("d")
        self.of_truth = array("d")
        self.brier = array("d")
        self.answered = array("b")
        self.refused: list[Refused] = []
        self.origin = Origin()

    @property
    def rows(self) -> int:
        return len(self.truth) + len(self.refused)

    def learn(self, answer: Classification) -> None:
        """The labels of a model or a classifier, from its first answer."""
        if not self.labels:
            for index, name in enumerate(sorted(item.label for item in answer.scores)):
                self.labels[name] = index

    def check(self, label: str, where: str) -> None:
        """Raises ConfigurationError for a label that no answer can be."""
        if self.labels and label not in self.labels:
            raise unknown_label(label, where, list(self.labels))

    def add(self, truth: str, answer: Classification) -> None:
        scores = {item.label: item.score for item in answer.scores}
        best = answer.scores[0]
        right = scores.get(truth, 0.0)
        self.truth.append(self.labels[truth])
        self.said.append(self.labels[best.label])
        self.confidence.append(best.score)
        self.of_truth.append(right)
        # The squares of all scores, that of the right label replaced by its distance from 1.
        squares = sum(score * score for score in scores.values())
        self.brier.append(squares - right * right + (1.0 - right) ** 2)
        self.answered.append(not answer.abstained)


def unknown_label(label: str, where: str, labels: Sequence[str]) -> ConfigurationError:
    some = ", ".join(repr(name) for name in labels[:8]) + (", …" if len(labels) > 8 else "")
    return ConfigurationError(
        f"{where} has the label {label!r}, which no answer can be",
        hint=f"The labels to choose from are {some}.",
    )
