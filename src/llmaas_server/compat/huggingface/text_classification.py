"""`POST /hf/text-classification`: the labels of a model's own head, or sentiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, RootModel

from llmaas_client.wire.base import TaskRequest, Texts
from llmaas_client.wire.classify import MAX_LABELS, ClassifyRequest, LabelScore
from llmaas_server.api.translated import Told
from llmaas_server.gateway.calls import Models
from llmaas_server.seam.values import Result

from .payload import HuggingFaceFormat, NamedModel, Payload


class TextClassificationParameters(Payload):
    REFUSED: ClassVar[dict[str, str]] = {
        "function_to_apply": "scores are those of the model's own kind: softmax, or sigmoid for "
        "several labels",
    }

    top_k: int | None = Field(default=None, ge=1, le=MAX_LABELS)


class TextClassificationBody(NamedModel):
    """The body of `POST /hf/text-classification`."""

    inputs: Texts
    parameters: TextClassificationParameters = TextClassificationParameters()


class TextClassificationAnswer(RootModel[list[list[LabelScore]]]):
    """For each text the labels, best first."""


@dataclass(frozen=True, slots=True)
class TextClassification(HuggingFaceFormat):
    """A model that has labels of its own is named by the request; without one it is sentiment, by
    the model and the words of `/predict`."""

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
        name = body.model or self.default
        request = ClassifyRequest(model=name, text=body.inputs, top_k=body.parameters.top_k)
        if body.model is not None or self.models.ref(name).kind == "classifier":
            return request
        labels = {"NEGATIVE": self.negative, "POSITIVE": self.positive}
        return request.model_copy(update={"labels": labels})

    def write(
        self, body: TextClassificationBody, told: Told, result: Result
    ) -> TextClassificationAnswer:
        return TextClassificationAnswer.model_validate(
            [one["scores"] for one in result.body["results"]]
        )
