"""Zero-shot by an embedding model: how near is the text to what stands for each label?

Some labels are near to every text. How near a label is to a background of neutral sentences says
how much, and half of that is taken away from its scores (contextual calibration, Zhao et al. 2021,
carried over to cosines; half, since a background is never neutral towards all labels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmaas_client.wire.classify import MAX_LABELS, ClassifyRequest
from llmaas_server.runtime.interface import Floats, Model, Runtime
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.windows import Windows, read
from llmaas_server.tasks.vectors import embed_all

from .base import Scores, limit_labels, names_of, need_labels, sigmoid, softmax, texts_of
from .label_words import SENSE_SHARE, LabelWords, Phrases, background, words_of
from .vectors_kept import vectors_of

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

    async def scores(self, model: Model, runtime: Runtime, caller: Caller, meter: Meter) -> Scores:
        # Labels are charged as they were given: neither for our words, nor less where kept.
        labels = _labels(self.words, model, runtime, caller)
        prototypes, offsets = await meter.encode(self.prompt_tokens - self.texts.tokens, labels)
        vectors = await embed_all(self.texts.sequences, model, runtime, caller, meter)
        texts = self.texts.pool(vectors).astype(np.float64)
        return score(texts @ prototypes.T, offsets, self.multi)


async def _labels(
    words: Sequence[LabelWords], model: Model, runtime: Runtime, caller: Caller
) -> tuple[Scores, Scores]:
    """A unit vector for each label, [labels, hidden], and what to take away from its cosines."""
    uncharged = Meter()
    prototypes = await _prototypes(words, model, runtime, caller, uncharged)
    neutral = await vectors_of(background(), "", model, runtime, caller, uncharged)
    offsets = OFFSET * (neutral.astype(np.float64) @ prototypes.T).mean(axis=0)
    return prototypes, offsets


async def _prototypes(
    words: Sequence[LabelWords], model: Model, runtime: Runtime, caller: Caller, meter: Meter
) -> Scores:
    """A unit vector for each label, [labels, hidden]."""
    own = [phrase for word in words for phrase, _ in word.phrases]
    ours = [phrase for word in words for phrase, _ in word.sense]
    own_vectors = iter(await vectors_of(own, caller.tenant, model, runtime, caller, meter))
    our_vectors = iter(await vectors_of(ours, "", model, runtime, caller, meter) if ours else ())
    means: list[Scores] = []
    for word in words:
        mean = _mean(word.phrases, [next(own_vectors) for _ in word.phrases])
        if word.sense:
            sense = _mean(word.sense, [next(our_vectors) for _ in word.sense])
            mean = _unit(sense + SENSE_SHARE * mean)
        means.append(mean)
    return np.stack(means)


def _mean(phrases: Phrases, vectors: Sequence[Floats]) -> Scores:
    weights = np.array([weight for _, weight in phrases])
    return _unit(weights @ np.stack(vectors).astype(np.float64))


def _unit(vector: Scores) -> Scores:
    unit: Scores = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return unit


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
