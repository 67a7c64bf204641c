"""Classify: which of these labels does a text deserve?"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from .base import Result, TaskRequest, Text, Texts, WireModel
from .spec import TaskSpec

MAX_LABELS = 1000
"""Most labels in one request; methods that run the model once per label take fewer."""


def _check_template(template: str) -> str:
    if template.count("{}") != 1:
        raise PydanticCustomError(
            "invalid_request", "hypothesis_template needs exactly one {{}} for the label"
        )
    return template


def _check_labels(labels: list[str] | dict[str, str]) -> list[str] | dict[str, str]:
    if len(labels) > MAX_LABELS:
        raise PydanticCustomError(
            "too_many_labels",
            "{count} labels, and {most} is the most",
            {"count": len(labels), "most": MAX_LABELS},
        )
    if len(labels) != len({name.strip() for name in labels}):
        names = [name.strip() for name in labels]
        twice = next(name for name in names if names.count(name) > 1)
        raise PydanticCustomError(
            "duplicate_labels", "the label {label} is there twice", {"label": repr(twice)}
        )
    return labels


Labels = Annotated[list[Text] | dict[Text, Text], AfterValidator(_check_labels)]


class ClassifyRequest(TaskRequest):
    """Texts and the labels to choose from.

    Without `labels` the model must have labels of its own (a trained classification head).
    """

    text: Texts
    labels: Labels | None = Field(
        default=None, description="Names, or name -> description. Two or more, or one with multi."
    )
    multi: bool = Field(
        default=False,
        description="Judge each label by itself: scores do not sum to 1, several labels may hold.",
    )
    top_k: int | None = Field(
        default=None, ge=1, le=MAX_LABELS, description="Return the best k scores only."
    )
    threshold: float | None = Field(
        default=None,
        ge=0.0,
        le=1.0,
        description="Single: abstain where the best score is lower. "
        "Multi: the labels that reach it (0.5 if absent).",
    )
    hypothesis_template: Annotated[str, AfterValidator(_check_template)] | None = Field(
        default=None,
        max_length=1000,
        description="A sentence with {} for the label, for embedding and NLI models.",
    )

    @model_validator(mode="after")
    def _enough_labels(self) -> ClassifyRequest:
        if self.labels is None:
            return self
        least = 1 if self.multi else 2
        if len(self.labels) < least:
            raise PydanticCustomError(
                "too_few_labels",
                "{count}, and {least} is the least",
                {
                    "count": "1 label" if len(self.labels) == 1 else "no labels",
                    "least": least,
                    "param": "labels",
                },
            )
        return self


class LabelScore(WireModel):
    label: str
    score: float


class Classification(WireModel):
    """The answer for one text.

    `label` is the best label, null where the model abstained. `labels` are all that hold: one at
    most, or any number with `multi`. `scores` are sorted, best first.
    """

    label: str | None
    score: float
    labels: list[str]
    scores: list[LabelScore]
    abstained: bool = False


class ClassifyResult(Result):
    """One `Classification` per text, in the order of the texts."""

    results: list[Classification]
    method: str
    """How: `embedding`, `head`, `nli` or `label_scoring`."""
    calibration: str = "none"
    """What maps raw scores to probabilities; `none` says that they are not calibrated."""

    @property
    def label(self) -> str | None:
        """The label of the only text; of the first where there are several."""
        return self.results[0].label

    @property
    def score(self) -> float:
        """The score of the best label of the first text."""
        return self.results[0].score

    @property
    def scores(self) -> dict[str, float]:
        """Label -> score of the first text, best first."""
        return {item.label: item.score for item in self.results[0].scores}


SPEC = TaskSpec("classify", ClassifyRequest, ClassifyResult, streams=False)
