"""Zero-shot by a model of entailment: does the text entail "This example is {label}."?

Equal to transformers' ZeroShotClassificationPipeline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmaas_client.wire.classify import ClassifyRequest
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter

from .base import (
    Scores,
    check_fits,
    check_total,
    limit_labels,
    names_of,
    phrases_of,
    softmax,
    texts_of,
)

DEFAULT_TEMPLATE = "This example is {}."
MAX_LABELS = 100

Pair = tuple[list[int], list[int]]


@dataclass(frozen=True, slots=True)
class NliScoring:
    labels: tuple[str, ...]
    pairs: tuple[Pair, ...]
    """Ids and token type ids; the labels of one text stand in a row."""
    entailment: int
    multi: bool
    method: str = "nli"
    calibration: str = "none"

    @property
    def prompt_tokens(self) -> int:
        return sum(len(ids) for ids, _ in self.pairs)

    async def scores(self, model: Model, runtime: Runtime, caller: Caller, meter: Meter) -> Scores:
        work = runtime.classify(model, self.pairs, tenant=caller.tenant, deadline=caller.deadline)
        logits = (await meter.encode(self.prompt_tokens, work)).astype(np.float64)
        return score(
            logits.reshape(-1, len(self.labels), logits.shape[-1]), self.entailment, self.multi
        )


def entailment_index(model: Model) -> int | None:
    """The class that says "entailment", as transformers finds it; None where there is none."""
    for index, label in enumerate(model.labels):
        if label.lower().startswith("entail"):
            return index
    return None


def score(logits: Scores, entailment: int, multi: bool) -> Scores:
    """Logits, [texts, labels, classes], to scores, [texts, labels].

    Alone, a label's entailment stands against its contradiction: the first class, or the last
    where the first is entailment. One label is always judged alone.
    """
    if not multi and logits.shape[1] > 1:
        return softmax(logits[..., entailment])
    contradiction = -1 if entailment == 0 else 0
    return softmax(logits[..., [contradiction, entailment]])[..., 1]


def read_request(request: ClassifyRequest, model: Model, entailment: int) -> NliScoring:
    limit_labels(request, "nli", MAX_LABELS)
    phrases = phrases_of(request, DEFAULT_TEMPLATE)
    pairs: list[Pair] = []
    total = 0
    for index, text in enumerate(texts_of(request)):
        for phrase in phrases:
            ids, types = model.tokenizer.encode_pair(text, phrase)
            check_fits(len(ids), model, request, index)
            total += len(ids)
            check_total(total)
            pairs.append((ids, types))
    return NliScoring(names_of(request), tuple(pairs), entailment, request.multi)
