"""Zero-shot by an embedding model: how near is the text to what stands for each label?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmaas_client.wire.classify import MAX_LABELS, ClassifyRequest
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.windows import Windows, read
from llmaas_server.tasks.vectors import embed_all

from .base import (
    Scores,
    limit_labels,
    names_of,
    need_labels,
    phrases_of,
    sigmoid,
    softmax,
    texts_of,
)

DEFAULT_TEMPLATE = "{}"
"""A bare name says more to a similarity model than a sentence that all labels share."""

SCALE = 20.0
"""Cosines of a text to its labels differ by 0.05 to 0.2: the softmax is taken of 20 times them."""

CENTRE = 0.2
"""The cosine that counts as even odds where labels are judged alone."""


@dataclass(frozen=True, slots=True)
class EmbeddingScoring:
    labels: tuple[str, ...]
    phrases: Windows
    texts: Windows
    multi: bool
    method: str = "embedding"
    calibration: str = "none"

    @property
    def prompt_tokens(self) -> int:
        return self.phrases.tokens + self.texts.tokens

    async def scores(self, model: Model, runtime: Runtime, caller: Caller, meter: Meter) -> Scores:
        sequences = self.phrases.sequences + self.texts.sequences
        vectors = await embed_all(sequences, model, runtime, caller, meter)
        count = len(self.phrases.sequences)
        labels = self.phrases.pool(vectors[:count]).astype(np.float64)
        texts = self.texts.pool(vectors[count:]).astype(np.float64)
        return score(texts @ labels.T, self.multi)


def score(cosines: Scores, multi: bool) -> Scores:
    """Cosines to scores, both [texts, labels]; the order of labels stays."""
    return sigmoid(SCALE * (cosines - CENTRE)) if multi else softmax(SCALE * cosines)


def read_request(request: ClassifyRequest, model: Model) -> EmbeddingScoring:
    """Texts and labels longer than the context are read in windows, and their vectors averaged."""
    need_labels(request, model)
    limit_labels(request, "embedding", MAX_LABELS)
    return EmbeddingScoring(
        labels=names_of(request),
        phrases=read(phrases_of(request, DEFAULT_TEMPLATE), model.tokenizer, model.context),
        texts=read(texts_of(request), model.tokenizer, model.context),
        multi=request.multi,
    )
