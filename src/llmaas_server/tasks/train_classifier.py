"""Make a classifier from examples: their vectors are lane work, the head is fitted beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from threading import Event

import numpy as np

from llmaas_client.wire.classifiers import (
    SPEC,
    CalibrationChoice,
    ClassifierCard,
    ClassifierCreate,
    pairs_of,
)
from llmaas_server.runtime.interface import Floats, Model, Runtime
from llmaas_server.seam import heads
from llmaas_server.seam.values import Delta, Progress, Result

from .base import Caller
from .classifiers.label_words import readable
from .heads.logistic import Ints, Stopped
from .heads.training import Material, Trained, labels_of, train
from .meter import Meter
from .text.windows import Windows, read
from .vectors import embed_all, need_sentence_embeddings


@dataclass(frozen=True, slots=True)
class TrainingPrompt:
    labels: tuple[str, ...]
    texts: Windows
    """Of the examples, then of words, then those out of scope."""
    targets: Ints
    word_targets: Ints
    scope_quantile: float | None
    calibration: CalibrationChoice
    max_completion_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        return self.texts.tokens

    def material(self, vectors: Floats) -> Material:
        """What the vectors of `texts` stand for."""
        examples, words = len(self.targets), len(self.word_targets)
        outside = vectors[examples + words :]
        return Material(
            labels=self.labels,
            vectors=vectors[:examples],
            targets=self.targets,
            words=vectors[examples : examples + words],
            word_targets=self.word_targets,
            outside=outside if len(outside) else None,
            scope_quantile=self.scope_quantile,
            calibration=self.calibration,
        )


class TrainClassifier:
    spec = SPEC

    def prompt(
        self, request: ClassifierCreate, model: Model, embedder: Model | None
    ) -> TrainingPrompt:
        need_sentence_embeddings(model)
        pairs = pairs_of(request.examples)
        labels = labels_of(pairs)
        index = {label: number for number, label in enumerate(labels)}
        words = [(readable(label), index[label]) for label in labels]
        for label, description in (request.descriptions or {}).items():
            words.append((description, index[label.strip()]))
        texts = [
            *(text for text, _ in pairs),
            *(text for text, _ in words),
            *(request.out_of_scope or ()),
        ]
        return TrainingPrompt(
            labels,
            read(texts, model.tokenizer, model.context),
            np.array([index[label] for _, label in pairs]),
            np.array([number for _, number in words]),
            request.scope_quantile,
            request.calibration,
        )

    async def run(
        self, prompt: TrainingPrompt, model: Model, runtime: Runtime, caller: Caller
    ) -> AsyncGenerator[Delta | Progress | Result, None]:
        meter = Meter()
        vectors = await embed_all(prompt.texts.sequences, model, runtime, caller, meter)
        material = prompt.material(prompt.texts.pool(vectors))
        yield Progress("train", 0, 1)
        trained = await train_beside(material)
        yield Progress("train", 1, 1)
        yield meter.result({"head": heads.write(_head(trained, material, model))})


async def train_beside(material: Material) -> Trained:
    """Train in a thread; cancelling this stops it within one iteration."""
    stop = Event()

    def check() -> None:
        if stop.is_set():
            raise Stopped

    try:
        return await asyncio.to_thread(train, material, check)
    finally:
        stop.set()


def _head(trained: Trained, material: Material, model: Model) -> heads.Head:
    card = ClassifierCard(
        model=model.ref.name,
        fingerprint=model.ref.fingerprint,
        dimensions=trained.weights.shape[1],
        labels=list(material.labels),
        temperature=trained.calibration.temperature,
        calibration=trained.name,
        per_class=trained.calibration.per_class,
        scope=trained.scope,
        evaluation=trained.evaluation,
    )
    return heads.Head(card, trained.weights.astype("<f4").tobytes())


TASK = TrainClassifier()
