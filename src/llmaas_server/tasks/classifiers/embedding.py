"""Zero-shot by an embedding model: how near is the text to what stands for each label?

Some labels are near to every text. How near a label is to a background of neutral sentences says
how much, and half of that is taken away from its scores (contextual calibration, Zhao et al. 2021,
carried over to cosines; half, since a background is never neutral towards all labels).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from llmaas_client.wire.classify import MAX_LABELS, ClassifyRequest
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.request import Readout
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.windows import Windows, read
from llmaas_server.tasks.vectors import embed_all

from .base import (
    Judged,
    ModelInput,
    Scores,
    limit_labels,
    names_of,
    need_labels,
    others,
    sigmoid,
    softmax,
    texts_of,
)
from .label_vectors import vectors_of
from .label_words import LabelWords, words_of

SCALE = 20.0
"""Cosines of a text to its labels differ by 0.05 to 0.2: the softmax is taken of 20 times them."""

CENTRE = 0.2
"""The cosine that counts as even odds where labels are judged alone."""

OFFSET = 0.5
"""The share of a label's nearness to the background that is taken away."""


@dataclass(frozen=True, slots=True)
class EmbeddingScoring:
    labels: tuple[str, ...]
    words: tuple[LabelWords, ...]
    texts: Windows
    prompt_tokens: int
    """Of the texts, and of the labels as they were given."""
    multi: bool
    method: str = "embedding"
    calibration: str = "none"

    async def judge(self, model: Model, runtime: Runtime, caller: Caller, meter: Meter) -> Judged:
        # Labels are charged as they were given: neither for our words, nor less where kept.
        labels = vectors_of(self.words, model, runtime, caller)
        prototypes, background = await meter.encode(self.prompt_tokens - self.texts.tokens, labels)
        vectors = await embed_all(self.texts.sequences, model, runtime, caller, meter)
        texts = self.texts.pool(vectors).astype(np.float64)
        scores = score(texts @ prototypes.T, OFFSET * background, self.multi)
        return Judged(scores, windows=self.texts.counts)

    def more(self) -> EmbeddingScoring:
        return replace(self, prompt_tokens=self.texts.tokens)

    def input_of(self, text: int, label: int) -> ModelInput | None:
        ids = self.texts.only(text)
        return None if ids is None else ModelInput(ids)

    async def readout(self, label: int, model: Model, runtime: Runtime, caller: Caller) -> Readout:
        prototypes, background = await vectors_of(self.words, model, runtime, caller)
        offsets = OFFSET * background + (CENTRE if self.multi else 0.0)
        against = () if self.multi else others(label, len(self.labels))
        return Readout(
            label,
            against,
            weights=(SCALE * prototypes).astype(np.float32),
            bias=(-SCALE * offsets).astype(np.float32),
        )


def score(cosines: Scores, offsets: Scores, multi: bool) -> Scores:
    """Cosines, [texts, labels], to scores; `offsets` of the labels, [labels], are taken away."""
    nearness = cosines - offsets
    return sigmoid(SCALE * (nearness - CENTRE)) if multi else softmax(SCALE * nearness)


def read_request(request: ClassifyRequest, model: Model) -> EmbeddingScoring:
    """Texts and labels longer than the context are read in windows, and their vectors averaged."""
    need_labels(request, model)
    limit_labels(request, "embedding", MAX_LABELS)
    words = tuple(words_of(request))
    texts = read(texts_of(request), model.tokenizer, model.context)
    labels = sum(len(model.tokenizer.encode(word.own)) for word in words)
    return EmbeddingScoring(
        labels=names_of(request),
        words=words,
        texts=texts,
        prompt_tokens=texts.tokens + labels,
        multi=request.multi,
    )
