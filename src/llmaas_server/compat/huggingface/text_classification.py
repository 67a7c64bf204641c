"""`POST /hf/text-classification`: the labels of a model's own head, or sentiment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field, RootModel

from llmaas_client.wire.base import TaskRequest, Texts
from llmaas_client.wire.classify import MAX_LABELS, ClassifyRequest, LabelScore
from llmaas_server.api.translated import Told
from llmaas_server.errors import Problem
from llmaas_server.gateway.calls import Models
from llmaas_server.seam.values import Result

from .payload import Asking, HuggingFaceFormat, Payload, ask

Transform = Literal["softmax", "sigmoid", "none"]

_SURE = 1 - 2**-53
"""The largest probability below 1."""


class TextClassificationParameters(Payload):
    top_k: int | None = Field(default=None, ge=1, le=MAX_LABELS)
    function_to_apply: Transform | None = Field(
        default=None,
        description="To the outputs of a trained head. Absent: softmax, or sigmoid where the head "
        "was trained for several labels.",
    )


class TextClassificationBody(Asking):
    """The body of `POST /hf/text-classification`."""

    inputs: Texts
    parameters: TextClassificationParameters = TextClassificationParameters()


class TextClassificationAnswer(RootModel[list[list[LabelScore]]]):
    """For each text the labels, best first."""


@dataclass(frozen=True, slots=True)
class TextClassification(HuggingFaceFormat):
    """By the head of the model that is named; where none is, sentiment, by the model and the words
    of `/predict`."""

    models: Models
    default: str
    negative: str
    positive: str

    path: ClassVar[str] = "/hf/text-classification"
    summary: ClassVar[str] = "Classify by a model's own labels, as InferenceClient calls it"
    body: ClassVar[type[TextClassificationBody]] = TextClassificationBody
    answer: ClassVar[type[TextClassificationAnswer]] = TextClassificationAnswer
    task: ClassVar[str] = "classify"
    job: ClassVar[str] = "classify"

    def read(self, body: TextClassificationBody) -> TaskRequest:
        model = self.models.ref(body.model or self.default)
        asked = body.parameters
        fields: dict[str, Any] = {"model": model.name, "text": body.inputs}
        if model.kind == "classifier":
            # Judged one by one, their scores still hold all that the head said.
            fields["multi"] = True if asked.function_to_apply else None
        elif model.name == self.default:
            if asked.function_to_apply is not None:
                raise _without_head(model.name, "unsupported_parameter", "function_to_apply")
            fields["labels"] = {"NEGATIVE": self.negative, "POSITIVE": self.positive}
        else:
            raise _without_head(model.name, "model_has_no_head", "model")
        return ask(ClassifyRequest, fields, {"text": "inputs"})

    def write(
        self, body: TextClassificationBody, told: Told, result: Result
    ) -> TextClassificationAnswer:
        asked = body.parameters
        rows: list[list[dict[str, Any]]] = [one["scores"] for one in result.body["results"]]
        match asked.function_to_apply:
            case "none":
                rows = [_with(row, _logits(row)) for row in rows]
            case "softmax":
                rows = [_with(row, _softmax(_logits(row))) for row in rows]
        return TextClassificationAnswer.model_validate([row[: asked.top_k] for row in rows])


def _without_head(
    name: str, code: Literal["unsupported_parameter", "model_has_no_head"], param: str
) -> Problem:
    return Problem(
        code,
        f"{param}: {name!r} has no trained classification head",
        hint="Name a fine-tuned classifier (?model=NAME in the address); for labels of your own "
        "there is /hf/zero-shot-classification.",
        param=param,
    )


def _logits(row: list[dict[str, Any]]) -> list[float]:
    """Of scores that are sigmoids."""
    scores = [min(max(one["score"], 1 - _SURE), _SURE) for one in row]
    return [math.log(score) - math.log1p(-score) for score in scores]


def _softmax(logits: list[float]) -> list[float]:
    powers = [math.exp(one - max(logits)) for one in logits]
    return [power / sum(powers) for power in powers]


def _with(row: list[dict[str, Any]], scores: list[float]) -> list[dict[str, Any]]:
    return [{**one, "score": score} for one, score in zip(row, scores, strict=True)]
