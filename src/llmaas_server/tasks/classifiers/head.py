"""By the classes that a model was trained for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmaas_client.wire.classify import ClassifyRequest
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.request import Readout
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.windows import Windows, read

from .base import (
    Judged,
    ModelInput,
    names_of,
    no_template,
    others,
    sigmoid,
    softmax,
    texts_of,
)


@dataclass(frozen=True, slots=True)
class HeadScoring:
    labels: tuple[str, ...]
    classes: tuple[int, ...]
    """Index in the head of each label."""
    texts: Windows
    independent: bool
    method: str = "head"
    calibration: str = "none"

    @property
    def prompt_tokens(self) -> int:
        return self.texts.tokens

    async def judge(self, model: Model, runtime: Runtime, caller: Caller, meter: Meter) -> Judged:
        work = runtime.classify(
            model,
            [(ids, None) for ids in self.texts.sequences],
            tenant=caller.tenant,
            deadline=caller.deadline,
        )
        logits = (await meter.encode(self.prompt_tokens, work)).astype(np.float64)
        chosen = self.texts.mean(logits[:, self.classes])
        scores = sigmoid(chosen) if self.independent else softmax(chosen)
        return Judged(scores, windows=self.texts.counts)

    def more(self) -> HeadScoring:
        return self

    def input_of(self, text: int, label: int) -> ModelInput | None:
        ids = self.texts.only(text)
        return None if ids is None else ModelInput(ids)

    async def readout(self, label: int, model: Model, runtime: Runtime, caller: Caller) -> Readout:
        rivals = () if self.independent else others(label, len(self.classes))
        return Readout(self.classes[label], tuple(self.classes[rival] for rival in rivals))


def read_request(request: ClassifyRequest, model: Model) -> HeadScoring:
    """The softmax is over the labels asked for: over all classes where the request names none.

    Texts longer than the context are read in windows, and their logits averaged.
    """
    no_template(request, "head")
    independent = request.multi or model.multi_label
    if len(model.labels) == 1 and not model.multi_label:
        raise Problem(
            "model_cannot_do_task",
            f"{model.ref.name!r} has a regression head with one output, and no classes",
            hint="Choose a classifier with two classes or more, an NLI or an embedding model.",
            param="model",
        )
    labels = _labels(request, model)
    return HeadScoring(
        labels=labels,
        classes=tuple(model.labels.index(label.strip()) for label in labels),
        texts=read(texts_of(request), model.tokenizer, model.context),
        independent=independent,
    )


def _labels(request: ClassifyRequest, model: Model) -> tuple[str, ...]:
    """The classes asked for; a head knows its own and no others."""
    names = names_of(request)
    known = ", ".join(repr(label) for label in model.labels)
    hint = f"Its classes are {known}: name some of these, or choose an NLI or embedding model."
    unknown = [name for name in names if name.strip() not in model.labels]
    if unknown:
        raise Problem(
            "unsupported_parameter",
            f"{model.ref.name!r} has no class {unknown[0]!r}",
            hint=hint,
            param="labels",
        )
    if isinstance(request.labels, dict):
        raise Problem(
            "unsupported_parameter",
            f"{model.ref.name!r} has a trained head, which has no use for descriptions",
            hint="Name the labels in a list.",
            param="labels",
        )
    return names or model.labels
