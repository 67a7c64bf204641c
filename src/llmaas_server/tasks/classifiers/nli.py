"""Zero-shot by a model of entailment: does the text entail "This example is {label}."?

Equal to transformers' ZeroShotClassificationPipeline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmaas_client.wire.classify import ClassifyRequest
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.request import Readout
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter

from .base import (
    Judged,
    ModelInput,
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
    phrases: tuple[str, ...]
    """What stands for each label."""
    entailment: int
    multi: bool
    method: str = "nli"
    calibration: str = "none"

    @property
    def prompt_tokens(self) -> int:
        return sum(len(ids) for ids, _ in self.pairs)

    async def judge(self, model: Model, runtime: Runtime, caller: Caller, meter: Meter) -> Judged:
        work = runtime.classify(model, self.pairs, tenant=caller.tenant, deadline=caller.deadline)
        logits = (await meter.encode(self.prompt_tokens, work)).astype(np.float64)
        by_text = logits.reshape(-1, len(self.labels), logits.shape[-1])
        return Judged(score(by_text, self.entailment, self.multi))

    def more(self) -> NliScoring:
        return self

    def input_of(self, text: int, label: int) -> ModelInput | None:
        ids, types = self.pairs[text * len(self.labels) + label]
        return ModelInput(tuple(ids), tuple(types), beside=self.phrases[label])

    async def readout(self, label: int, model: Model, runtime: Runtime, caller: Caller) -> Readout:
        alone = self.multi or len(self.labels) == 1
        contradiction = _contradiction(self.entailment, len(model.labels))
        return Readout(self.entailment, (contradiction,) if alone else ())


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
    contradiction = _contradiction(entailment, logits.shape[-1])
    return softmax(logits[..., [contradiction, entailment]])[..., 1]


def _contradiction(entailment: int, classes: int) -> int:
    return classes - 1 if entailment == 0 else 0


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
    return NliScoring(names_of(request), tuple(pairs), tuple(phrases), entailment, request.multi)
