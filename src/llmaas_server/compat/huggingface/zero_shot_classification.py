"""`POST /hf/zero-shot-classification`: the labels of the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, RootModel

from llmaas_client.wire.base import TaskRequest, Texts
from llmaas_client.wire.classify import ClassifyRequest, Labels, LabelScore
from llmaas_server.api.translated import Told
from llmaas_server.seam.values import Result

from .payload import Asking, HuggingFaceFormat, Payload, ask

_THEIRS = {
    "text": "inputs",
    "labels": "parameters.candidate_labels",
    "hypothesis_template": "parameters.hypothesis_template",
}


def _split(given: object) -> object:
    """`"sports, politics"` are two labels there."""
    if not isinstance(given, str):
        return given
    return [label.strip() for label in given.split(",") if label.strip()]


class ZeroShotParameters(Payload):
    candidate_labels: Annotated[Labels, BeforeValidator(_split)]
    """A list, names with commas between them, or, as an addition of ours, name -> description."""
    multi_label: bool = False
    hypothesis_template: str | None = None


class ZeroShotBody(Asking):
    """The body of `POST /hf/zero-shot-classification`."""

    inputs: Texts
    parameters: ZeroShotParameters


class ZeroShotAnswer(RootModel[list[LabelScore] | list[list[LabelScore]]]):
    """The labels, best first; for a list of texts a list of such lists."""


@dataclass(frozen=True, slots=True)
class ZeroShotClassification(HuggingFaceFormat):
    path: ClassVar[str] = "/hf/zero-shot-classification"
    summary: ClassVar[str] = "Classify by labels of yours, as InferenceClient calls it"
    body: ClassVar[type[ZeroShotBody]] = ZeroShotBody
    answer: ClassVar[type[ZeroShotAnswer]] = ZeroShotAnswer
    task: ClassVar[str] = "classify"
    job: ClassVar[str] = "classify"

    def read(self, body: ZeroShotBody) -> TaskRequest:
        asked = body.parameters
        fields = {
            "model": body.model,
            "text": body.inputs,
            "labels": asked.candidate_labels,
            # One label is judged alone there, too.
            "multi": asked.multi_label or len(asked.candidate_labels) == 1,
            "hypothesis_template": asked.hypothesis_template,
        }
        return ask(ClassifyRequest, fields, _THEIRS)

    def write(self, body: ZeroShotBody, told: Told, result: Result) -> ZeroShotAnswer:
        rows = [one["scores"] for one in result.body["results"]]
        return ZeroShotAnswer.model_validate(rows[0] if isinstance(body.inputs, str) else rows)
