"""By a classifier that was made from examples: a linear head over the model's vectors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from llmaas_client.wire.classifiers import ClassifierCard
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_client.wire.operating import threshold_for
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Floats, Model, Runtime
from llmaas_server.runtime.request import Readout
from llmaas_server.seam import heads
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.heads.calibration import Calibration
from llmaas_server.tasks.heads.scope import scope_scores
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.windows import Windows, read
from llmaas_server.tasks.vectors import embed_all

from .base import Judged, ModelInput, others, softmax, texts_of

HEADS_KEPT = 64


class HeadedRequest(ClassifyRequest):
    """A request as the front passes it on: where it names a classifier, with its file."""

    head: bytes | None = None


@dataclass(frozen=True, slots=True)
class OpenHead:
    card: ClassifierCard
    weights: Floats
    """[labels, hidden]"""


@lru_cache(HEADS_KEPT)
def open_head(file: bytes) -> OpenHead:
    """Raises Problem `invalid_request`. The same bytes are read once."""
    head = heads.read(file)
    shape = (len(head.card.labels), head.card.dimensions)
    return OpenHead(head.card, np.frombuffer(head.weights, dtype="<f4").reshape(shape))


@dataclass(frozen=True, slots=True)
class TrainedScoring:
    head: OpenHead
    name: str
    texts: Windows
    threshold: float | None
    """What `max_error` comes to."""
    method: str = "classifier"

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.head.card.labels)

    @property
    def calibration(self) -> str:
        return self.head.card.calibration

    @property
    def prompt_tokens(self) -> int:
        return self.texts.tokens

    async def judge(self, model: Model, runtime: Runtime, caller: Caller, meter: Meter) -> Judged:
        vectors = await embed_all(self.texts.sequences, model, runtime, caller, meter)
        logits = self.texts.pool(vectors) @ self.head.weights.T
        probabilities = softmax(self._made.of(logits).astype(np.float64))
        return Judged(probabilities, scope_scores(logits).tolist(), self.texts.counts)

    def more(self) -> TrainedScoring:
        return self

    def input_of(self, text: int, label: int) -> ModelInput | None:
        ids = self.texts.only(text)
        return None if ids is None else ModelInput(ids)

    async def readout(self, label: int, model: Model, runtime: Runtime, caller: Caller) -> Readout:
        weights, made = self.head.weights, self._made
        bias = np.broadcast_to(made.offsets, len(weights))
        factors = made.factors[:, np.newaxis]
        return Readout(label, others(label, len(weights)), weights * factors, bias)

    @property
    def _made(self) -> Calibration:
        card = self.head.card
        return Calibration(card.temperature, card.per_class)


def read_request(request: HeadedRequest, name: str, model: Model) -> TrainedScoring:
    """Texts longer than the context are read in windows, as the examples were.

    Raises Problem `conflict` where the head is for other vectors, `unsupported_parameter` where
    the examples cannot support `max_error`.
    """
    if request.head is None:
        raise Problem("internal_error", f"the classifier {name!r} came without its file")
    head = open_head(request.head)
    check_model(head.card, model)
    texts = read(texts_of(request), model.tokenizer, model.context)
    return TrainedScoring(head, name, texts, _threshold(head.card, request.max_error))


def check_model(card: ClassifierCard, model: Model) -> None:
    if (card.model, card.fingerprint) != (model.ref.name, model.ref.fingerprint):
        raise Problem(
            "conflict",
            f"the classifier is for {card.model} ({card.fingerprint[:12]}), and the model is "
            f"{model.ref.name} ({model.ref.fingerprint[:12]})",
            hint="Create the classifier again: its weights mean nothing to other vectors.",
            param="classifier",
        )


def _threshold(card: ClassifierCard, max_error: float | None) -> float | None:
    if max_error is None:
        return None
    try:
        return threshold_for(card.evaluation.operating, card.evaluation.examples, max_error)
    except ValueError as error:
        raise Problem(
            "unsupported_parameter",
            str(error),
            hint="Raise max_error, or create the classifier again with more examples.",
            param="max_error",
        ) from None
