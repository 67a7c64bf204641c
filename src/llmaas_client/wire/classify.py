"""Classify: which of these labels does a text deserve?"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from .base import Result, TaskRequest, Text, Texts, WireModel, invalid
from .explanations import (
    MAX_EXPLAINED_TEXTS,
    Attention,
    Explaining,
    Explanation,
    View,
)
from .spec import TaskSpec

MAX_LABELS = 1000
"""Most labels in one request; methods that run the model once per label take fewer."""

CLASSIFIER_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"

ClassifierReference = Annotated[str, Field(pattern=f"^{CLASSIFIER_NAME}(@[1-9][0-9]{{0,8}})?$")]
"""`name` is the newest version of a classifier, `name@2` that one."""


def _check_template(template: str) -> str:
    if template.count("{}") != 1:
        raise PydanticCustomError(
            "invalid_request", "hypothesis_template needs exactly one {} for the label"
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

    Without `labels` the model must have labels of its own (a trained classification head), or a
    `classifier` that was made from examples has them.
    """

    text: Texts
    labels: Labels | None = Field(
        default=None, description="Names, or name -> description. Two or more, or one with multi."
    )
    classifier: ClassifierReference | None = Field(
        default=None,
        description="Instead of labels: a classifier of yours, as name or name@version.",
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
    max_error: float | None = Field(
        default=None,
        gt=0.0,
        le=0.5,
        description="With a classifier: abstain as often as it takes for at most this share of the "
        "answers to be wrong, with 95 % confidence, for texts like its examples.",
    )
    hypothesis_template: Annotated[str, AfterValidator(_check_template)] | None = Field(
        default=None,
        max_length=1000,
        description="A sentence with {} for the label, for embedding and NLI models.",
    )
    explain: Explaining = Field(
        default=None,
        description="Say what of each text its label rests on: all that the model can, one method, "
        "or as an object asks.",
    )
    view: View | None = Field(
        default=None,
        description="Show the attention of an encoder, head by head. It explains nothing.",
    )

    @model_validator(mode="after")
    def _of_a_classifier(self) -> ClassifyRequest:
        if self.classifier is None:
            if self.max_error is not None:
                raise _unsupported("max_error", "needs a classifier that was made from examples")
            return self
        if self.labels is not None:
            raise _unsupported("labels", "a classifier has labels of its own")
        if self.multi:
            raise _unsupported("multi", "a classifier chooses one label")
        if self.hypothesis_template is not None:
            raise _unsupported("hypothesis_template", "a classifier reads the text alone")
        if self.max_error is not None and self.threshold is not None:
            raise _unsupported("max_error", "it chooses the threshold: send one of the two")
        return self

    @model_validator(mode="after")
    def _few_texts_to_explain(self) -> ClassifyRequest:
        asked = "explain" if self.explain else "view" if self.view else None
        if asked and not isinstance(self.text, str) and len(self.text) > MAX_EXPLAINED_TEXTS:
            raise invalid(
                f"{len(self.text)} texts, and {MAX_EXPLAINED_TEXTS} is the most with {asked}",
                "text",
            )
        return self

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


def _unsupported(param: str, why: str) -> PydanticCustomError:
    return PydanticCustomError(
        "unsupported_parameter", "{param}: {why}", {"param": param, "why": why}
    )


class LabelScore(WireModel):
    label: str
    score: float


class InScope(WireModel):
    """Whether a text deserves any of the labels of a classifier."""

    score: float
    """The largest logit: the higher, the surer."""
    decision: bool | None
    """None where the classifier was not told what to refuse."""


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
    in_scope: InScope | None = None
    """Of classifiers made from examples; those that are out of scope are abstained from."""
    windows: int = 1
    """In how many parts the text was read: more than one where it is longer than the context. The
    vectors of a text's windows are averaged, or the logits of a head, weighted by their tokens."""
    explanation: Explanation | None = None
    """Where the request asked for one."""
    attention: Attention | None = None
    """With `view="attention"`."""


class ClassifyResult(Result):
    """One `Classification` per text, in the order of the texts."""

    results: list[Classification]
    method: str
    """How: `classifier`, `embedding`, `head`, `nli` or `label_scoring`."""
    calibration: str = "none"
    """What maps raw scores to probabilities; `none` says that they are not calibrated."""
    classifier: str | None = None
    """Which one, with its version: `name@2`."""
    threshold: float | None = None
    """Below which `max_error` abstained."""

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

    @property
    def explanation(self) -> Explanation | None:
        """Of the first text."""
        return self.results[0].explanation

    @property
    def attention(self) -> Attention | None:
        """Of the first text."""
        return self.results[0].attention


SPEC = TaskSpec("classify", ClassifyRequest, ClassifyResult, streams=False)
