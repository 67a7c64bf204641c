"""What the ways to classify have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llmaas_client.wire.classify import ClassifyRequest
from llmaas_server.errors import Problem, context_overflow
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.request import Readout
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter

Scores = NDArray[np.float64]

MAX_TOKENS = 2_000_000
"""Most tokens of one request in the methods that read every text once per label."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a way to classify says of texts."""

    scores: Scores
    """From 0 to 1, [texts, labels]. Rows sum to 1 unless labels are judged alone."""
    scope_scores: list[float] | None = None
    """Of classifiers made from examples: the larger, the more a text deserves one of the labels."""
    windows: list[int] | None = None
    """In how many windows each text was read; None where each was read whole."""


@dataclass(frozen=True, slots=True)
class ModelInput:
    """A text as the model reads it in one pass, alone or beside another."""

    ids: tuple[int, ...]
    types: tuple[int, ...] | None = None
    beside: str | None = None
    """The second text of a pair."""


class Scoring(Protocol):
    """A request, tokenized for one way to classify."""

    @property
    def method(self) -> str: ...
    @property
    def calibration(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def prompt_tokens(self) -> int: ...

    async def judge(
        self, model: Model, runtime: Runtime, caller: Caller, meter: Meter
    ) -> Judged: ...

    def more(self) -> Scoring:
        """The same of further texts for the same labels: what those cost is charged once."""

    def input_of(self, text: int, label: int) -> ModelInput | None:
        """What the logit of a label for a text is computed from; None where that is not one pass
        of an encoder."""

    async def readout(self, label: int, model: Model, runtime: Runtime, caller: Caller) -> Readout:
        """How the logit of a label is read off such a pass. Where labels stand against each other
        it is the log-odds of the label's score, for NLI its entailment."""


def texts_of(request: ClassifyRequest) -> list[str]:
    return [request.text] if isinstance(request.text, str) else list(request.text)


def names_of(request: ClassifyRequest) -> tuple[str, ...]:
    """The labels of the request; empty where it has none."""
    return tuple(request.labels or ())


def phrases_of(request: ClassifyRequest, template: str) -> list[str]:
    """What stands for each label before a model.

    The description, or else the name in `template`. A template of the request is filled with
    the description too: nothing that the caller gave is ignored.
    """
    labels = request.labels or []
    if request.hypothesis_template is not None:
        words = labels.values() if isinstance(labels, dict) else labels
        return [request.hypothesis_template.replace("{}", word.strip()) for word in words]
    if isinstance(labels, dict):
        return [description.strip() for description in labels.values()]
    return [template.replace("{}", name.strip()) for name in labels]


def need_labels(request: ClassifyRequest, model: Model) -> None:
    if request.labels is None:
        raise Problem(
            "too_few_labels",
            f"{model.ref.name!r} has no labels of its own, and the request names none",
            hint="Name the labels to choose from, or choose a model with a classification head.",
            param="labels",
        )


def limit_labels(request: ClassifyRequest, method: str, most: int) -> None:
    count = len(request.labels or ())
    if count > most:
        raise Problem(
            "too_many_labels",
            f"{count} labels, and {most} is the most for {method}, which reads the text once "
            "per label",
            hint="Name fewer labels, or choose an embedding model: it takes 1000.",
            param="labels",
        )


def no_template(request: ClassifyRequest, method: str) -> None:
    if request.hypothesis_template is not None:
        raise Problem(
            "unsupported_parameter",
            f"{method} does not use a hypothesis_template",
            hint="Remove hypothesis_template, or choose an embedding or NLI model.",
            param="hypothesis_template",
        )


def check_fits(tokens: int, model: Model, request: ClassifyRequest, index: int) -> None:
    """Raises `context_overflow` with both numbers, and which text it is where there are several."""
    if tokens > model.context:
        what = "the text" if isinstance(request.text, str) else f"text[{index}]"
        raise context_overflow(tokens, model.context, what)


def check_total(tokens: int) -> None:
    if tokens > MAX_TOKENS:
        raise Problem(
            "invalid_request",
            f"the texts times the labels make more than {MAX_TOKENS} tokens",
            hint="Send fewer texts or labels at once, or choose an embedding model.",
            param="text",
        )


def softmax(logits: Scores) -> Scores:
    """Over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    normalized: Scores = shifted / shifted.sum(axis=-1, keepdims=True)
    return normalized


def sigmoid(logits: Scores) -> Scores:
    # In this form no exponential overflows.
    squashed: Scores = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return squashed


def others(label: int, labels: int) -> tuple[int, ...]:
    """All labels but one."""
    return tuple(number for number in range(labels) if number != label)


def inputs_of(scoring: Scoring, text: int) -> list[ModelInput]:
    """What a text is read as: once, or beside each label. Empty where that is not one pass."""
    found: list[ModelInput] = []
    for label in range(len(scoring.labels)):
        one = scoring.input_of(text, label)
        if one is None:
            return []
        found.append(one)
        if one.beside is None:
            break  # It is the same for every label.
    return found
