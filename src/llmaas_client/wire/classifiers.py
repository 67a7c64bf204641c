"""Classifiers made from examples: what they are made of, and what is known of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, model_validator
from pydantic_core import PydanticCustomError

from .base import Request, Result, TaskRequest, Text, WireModel
from .classify import CLASSIFIER_NAME, MAX_LABELS
from .operating import Operating, threshold_for
from .spec import TaskSpec

MAX_EXAMPLES = 20_000
"""Most examples of one classifier, those out of scope among them."""

LEAST_OF_A_CLASS = 2
"""An example to learn from, and one to try."""

CalibrationChoice = Literal["auto", "temperature", "per_class"]

ClassifierName = Annotated[str, Field(pattern=f"^{CLASSIFIER_NAME}$")]
"""Without a version."""


class Example(Request):
    """A text, and the label that it deserves."""

    text: Text
    label: Text


def _check_examples(
    examples: list[Example] | dict[str, list[str]],
) -> list[Example] | dict[str, list[str]]:
    counts = counts_of(examples)
    if len(counts) < 2:
        raise PydanticCustomError(
            "too_few_labels", "the examples have {count} labels, and 2 is the least",
            {"count": len(counts)},
        )  # fmt: skip
    if len(counts) > MAX_LABELS:
        raise PydanticCustomError(
            "too_many_labels", "{count} labels, and {most} is the most",
            {"count": len(counts), "most": MAX_LABELS},
        )  # fmt: skip
    few = [f"{label!r} has {count}" for label, count in counts.items() if count < LEAST_OF_A_CLASS]
    if few:
        raise PydanticCustomError(
            "invalid_request", "every label needs {least} examples at least: {few}",
            {"least": LEAST_OF_A_CLASS, "few": ", ".join(few[:5]) + (", …" if few[5:] else "")},
        )  # fmt: skip
    if (total := sum(counts.values())) > MAX_EXAMPLES:
        raise PydanticCustomError(
            "invalid_request", "{total} examples, and {most} is the most",
            {"total": total, "most": MAX_EXAMPLES},
        )  # fmt: skip
    return examples


def counts_of(examples: list[Example] | dict[str, list[str]]) -> dict[str, int]:
    """Label -> how many examples it has, in the order of first appearance."""
    counts: dict[str, int] = {}
    for _, label in pairs_of(examples):
        counts[label] = counts.get(label, 0) + 1
    if isinstance(examples, dict):
        counts = {label.strip(): 0 for label in examples} | counts
    return counts


def pairs_of(examples: list[Example] | dict[str, list[str]]) -> list[tuple[str, str]]:
    """Text and label of every example."""
    if isinstance(examples, dict):
        return [(text, label.strip()) for label, texts in examples.items() for text in texts]
    return [(example.text, example.label.strip()) for example in examples]


Examples = Annotated[list[Example] | dict[Text, list[Text]], AfterValidator(_check_examples)]


class ClassifierCreate(TaskRequest):
    """`POST /v1/classifiers`: a name, and examples of each label.

    A name that is there already gets its next version. `model` is the embedding model.
    """

    name: ClassifierName
    examples: Examples = Field(description="[{text, label}], or label -> texts.")
    descriptions: dict[Text, Text] | None = Field(
        default=None, description="Label -> what it means, as evidence beside the examples."
    )
    out_of_scope: list[Text] | None = Field(
        default=None,
        min_length=LEAST_OF_A_CLASS,
        max_length=MAX_EXAMPLES,
        description="Texts that deserve none of the labels, to learn what to refuse from.",
    )
    scope_quantile: float | None = Field(
        default=None,
        gt=0.0,
        le=0.5,
        description="Without out_of_scope: refuse what fits worse than this share of the examples.",
    )
    calibration: CalibrationChoice = Field(
        default="auto",
        description="What makes scores probabilities: one temperature, or a scale and an offset "
        "of each label too. auto takes those where they are clearly better on examples that they "
        "have not seen, and no label has fewer than 10.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> ClassifierCreate:
        if self.out_of_scope is not None and self.scope_quantile is not None:
            raise PydanticCustomError(
                "invalid_request", "scope_quantile is for classifiers without out_of_scope",
                {"param": "scope_quantile"},
            )  # fmt: skip
        unknown = {label.strip() for label in self.descriptions or {}} - set(
            counts_of(self.examples)
        )
        if unknown:
            raise PydanticCustomError(
                "invalid_request", "{label} is described, and has no examples",
                {"label": repr(min(unknown)), "param": "descriptions"},
            )  # fmt: skip
        return self


class Interval(WireModel):
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


class ClassEvaluation(WireModel):
    label: str
    examples: int
    precision: float
    recall: float
    f1: float


class Confusion(WireModel):
    """Examples of `label` that were taken for `predicted`."""

    label: str
    predicted: str
    count: int


class Likelihoods(WireModel):
    """The mean negative log-likelihood of examples, calibrated on the other folds; lower is better.

    null where that calibration was not tried.
    """

    temperature: float
    per_class: float | None = None


class ReliabilityBin(WireModel):
    """Examples of similar confidence, and how many of them were judged rightly."""

    examples: int
    confidence: float
    """The mean of the bin."""
    accuracy: float


class Evaluation(WireModel):
    """What cross-validation found: each example judged by a classifier that has not seen it."""

    examples: int
    folds: int
    accuracy: Interval
    majority: float = Field(description="The share of the most frequent label: a floor to beat.")
    macro_f1: float
    classes: list[ClassEvaluation]
    confusions: list[Confusion] = Field(description="The most frequent ones, at most 20.")
    ece_before: Interval = Field(description="Expected calibration error of raw scores.")
    ece_after: Interval = Field(description="The same, calibrated on the other folds.")
    reliability: list[ReliabilityBin] = Field(
        default_factory=list[ReliabilityBin],
        description="What ece_after is the mean distance of: bins of equal mass, the least "
        "confident first.",
    )
    likelihoods: Likelihoods | None = Field(
        default=None, description="Of the calibrations that were tried."
    )
    out_of_scope_auroc: float | None = Field(
        default=None, description="How well scope scores tell out_of_scope from examples."
    )
    operating: list[Operating] = Field(
        description="Thresholds and the errors that they leave, the lowest threshold first."
    )
    warnings: list[str] = Field(default_factory=list)

    def threshold_for(self, max_error: float) -> float:
        """The lowest threshold whose answers are wrong in `max_error` of the cases at most.

        That holds with 95 % confidence for texts like the examples (Clopper-Pearson). Raises
        ValueError where the examples cannot support it, with the number that could.
        """
        return threshold_for(self.operating, self.examples, max_error)


class Scope(WireModel):
    """How the classifier tells texts that deserve none of its labels."""

    threshold: float
    """Of the scope score: the largest logit."""
    basis: str
    """What the threshold rests on."""


class PerClass(WireModel):
    """A calibration of each label: softmax(logits / temperature * scales + offsets)."""

    scales: list[float]
    offsets: list[float]


class ClassifierCard(WireModel):
    """All of a classifier but its weights; part of its file."""

    format: Literal["llmaas.classifier.1"] = "llmaas.classifier.1"
    model: str
    """The embedding model."""
    fingerprint: str
    """Of the weights and the tokenizer of that model."""
    dimensions: int
    normalization: Literal["unit"] = "unit"
    """Of the vectors that the weights are for."""
    labels: list[str]
    temperature: float
    calibration: str
    """Such as `temperature, 5-fold` or `per class, 5-fold`."""
    per_class: PerClass | None = None
    """None where the temperature is all."""
    scope: Scope | None = None
    evaluation: Evaluation


class ClassifierInfo(WireModel):
    """A classifier in a list."""

    name: str
    version: int
    model: str
    labels: int
    examples: int
    accuracy: Interval
    digest: str
    """SHA-256 of its file."""
    created_at: AwareDatetime


class Classifier(ClassifierInfo):
    """All that is known of a classifier."""

    card: ClassifierCard

    @property
    def evaluation(self) -> Evaluation:
        return self.card.evaluation

    def threshold_for(self, max_error: float) -> float:
        """See `Evaluation.threshold_for`."""
        return self.evaluation.threshold_for(max_error)


class CreatedClassifier(Result):
    """A classifier that was just made, and what that took."""

    classifier: Classifier


class ClassifierList(WireModel):
    classifiers: list[ClassifierInfo]


class ClassifierImport(Request):
    """`POST /v1/classifiers/{name}/import`: a file of `export`, for this account."""

    file: Annotated[str, Field(min_length=1)] = Field(description="The file, in base64.")


class ClassifierFile(WireModel):
    """`GET /v1/classifiers/{name}/export`: safetensors with the card as metadata."""

    name: str
    version: int
    file: str
    """In base64."""


class DeletedClassifier(WireModel):
    """How many versions are gone."""

    name: str
    versions: int


class TrainingResult(Result):
    """What the computing side answers to a training."""

    head: Any
    """The file's bytes."""


SPEC = TaskSpec("train_classifier", ClassifierCreate, TrainingResult, streams=False)
