"""The article's own call: `POST /predict {"text": "…"}` -> `{"prediction": 0 or 1}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_client.wire.models import Prediction, PredictRequest
from llmaas_server.api.context import Statuses
from llmaas_server.api.problems import NATIVE
from llmaas_server.api.translated import Told
from llmaas_server.errors import Problem
from llmaas_server.gateway.calls import Models
from llmaas_server.seam.values import Result

_NEGATIVE = frozenset({"negative", "neg", "label_0", "0"})
_POSITIVE = frozenset({"positive", "pos", "label_1", "1"})
"""What sentiment models call their two classes, in lower case."""

_UNNAMED = frozenset({"label_2", "2"})
"""With a third class that has no name, nobody knows which one is positive."""


@dataclass(frozen=True, slots=True)
class Predict:
    """Sentiment as an index into [negative, positive].

    A model with a trained head answers with its own classes; any other gets two labels with
    descriptions.
    """

    models: Models
    model: str
    negative: str
    positive: str

    path: ClassVar[str] = "/predict"
    summary: ClassVar[str] = "Is a text negative (0) or positive (1)?"
    body: ClassVar[type[PredictRequest]] = PredictRequest
    answer: ClassVar[type[Prediction]] = Prediction
    task: ClassVar[str] = "classify"
    job: ClassVar[str] = "classify"
    asks: ClassVar[bool] = False
    statuses: ClassVar[Statuses] = NATIVE

    def read(self, body: PredictRequest) -> TaskRequest:
        if self.models.ref(self.model).kind == "classifier":
            return ClassifyRequest(model=self.model, text=body.text)
        labels = {"negative": self.negative, "positive": self.positive}
        return ClassifyRequest(model=self.model, text=body.text, labels=labels)

    def write(self, body: PredictRequest, told: Told, result: Result) -> Prediction:
        scores = result.body["results"][0]["scores"]
        return Prediction(prediction=decide({row["label"]: row["score"] for row in scores}))


def decide(scores: dict[str, float]) -> Literal[0, 1]:
    """The better of the two classes; other classes, such as neutral, do not count.

    Raises Problem where the labels are not those of sentiment.
    """
    by_name = {label.lower(): score for label, score in scores.items()}
    negative = by_name.keys() & _NEGATIVE
    positive = by_name.keys() & _POSITIVE
    if len(negative) != 1 or len(positive) != 1 or by_name.keys() & _UNNAMED:
        raise Problem(
            "model_cannot_do_task",
            f"predict_model has the labels {', '.join(sorted(scores))}, not negative and positive",
            hint="Set predict_model to a sentiment classifier or to an embedding model.",
            param="model",
        )
    return 1 if by_name[positive.pop()] > by_name[negative.pop()] else 0
