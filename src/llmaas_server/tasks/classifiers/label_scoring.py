"""Zero-shot by a chat model: how likely is each label as its answer?

A small model likes some labels whatever the text. What it thinks of them for a text without
content is taken away (contextual calibration, Zhao et al. 2021; PMI, Holtzman et al. 2021), which
also makes labels of different length comparable: log p(label | text) - log p(label | no text).
"""

from __future__ import annotations

import asyncio
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
    check_fits,
    check_total,
    limit_labels,
    names_of,
    need_labels,
    no_template,
    softmax,
    texts_of,
)

MAX_LABELS = 100
CONTENT_FREE = "N/A"

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt that all its answers share, the model's turn opened."""

    prefix: Ids
    answers: tuple[Ids, ...]

    @property
    def tokens(self) -> int:
        """The prefix is read once, not once per answer."""
        return len(self.prefix) + sum(len(answer) for answer in self.answers)


@dataclass(frozen=True, slots=True)
class LabelScoring:
    labels: tuple[str, ...]
    questions: tuple[Question, ...]
    """Single: one per text, its answers are the labels. Multi: one per text and label, its answers
    are yes and no. Those of the text without content come first."""
    multi: bool
    method: str = "label_scoring"
    calibration: str = "contextual"

    @property
    def prompt_tokens(self) -> int:
        return sum(question.tokens for question in self.questions)

    async def judge(self, model: Model, runtime: Runtime, caller: Caller, meter: Meter) -> Judged:
        work = asyncio.gather(
            *(
                runtime.score(
                    model,
                    question.prefix,
                    question.answers,
                    tenant=caller.tenant,
                    deadline=caller.deadline,
                )
                for question in self.questions
            )
        )
        logprobs = await meter.encode(self.prompt_tokens, work)
        sums = np.array([[sum(answer) for answer in answers] for answers in logprobs])
        if not self.multi:
            return Judged(softmax(sums[1:] - sums[:1]))
        # [texts, labels, yes and no]
        by_text = sums.reshape(-1, len(self.labels), 2)
        return Judged(softmax(by_text[1:] - by_text[:1])[..., 0])

    def more(self) -> LabelScoring:
        return self

    def input_of(self, text: int, label: int) -> ModelInput | None:
        return None

    async def readout(self, label: int, model: Model, runtime: Runtime, caller: Caller) -> Readout:
        raise NotImplementedError("a likelihood of several tokens is no readout of one pass")


def read_request(request: ClassifyRequest, model: Model) -> LabelScoring:
    need_labels(request, model)
    no_template(request, "label_scoring")
    limit_labels(request, "label_scoring", MAX_LABELS)
    reader = _Reader(request, model)
    texts = [CONTENT_FREE, *texts_of(request)]
    questions: list[Question] = []
    total = 0
    for index, text in enumerate(texts):
        for question in reader.questions(text):
            longest = max(len(answer) for answer in question.answers)
            check_fits(len(question.prefix) + longest, model, request, max(0, index - 1))
            total += question.tokens
            check_total(total)
            questions.append(question)
    return LabelScoring(names_of(request), tuple(questions), request.multi)


class _Reader:
    """Turns texts into questions about the labels of one request."""

    def __init__(self, request: ClassifyRequest, model: Model) -> None:
        self._tokenizer = model.tokenizer
        self._names = [name.strip() for name in names_of(request)]
        self._lines = label_lines(request)
        self._multi = request.multi

    def questions(self, text: str) -> list[Question]:
        if self._multi:
            answers = self._answers(["yes", "no"])
            return [
                Question(self._prefix(ask_one(line, text), "Answer:"), answers)
                for line in self._lines
            ]
        prefix = self._prefix(ask_all(self._lines, text), "Label:")
        return [Question(prefix, self._answers(self._names))]

    def _prefix(self, prompt: str, opening: str) -> Ids:
        ids = self._tokenizer.encode_chat([{"role": "user", "content": prompt}])
        return (*ids, *self._tokenizer.encode(opening, special=False))

    def _answers(self, words: list[str]) -> tuple[Ids, ...]:
        # The space belongs to the answer: so the model has seen the two together.
        return tuple(tuple(self._tokenizer.encode(f" {word}", special=False)) for word in words)


def label_lines(request: ClassifyRequest) -> list[str]:
    labels = request.labels or []
    if isinstance(labels, dict):
        return [f"{name.strip()}: {description.strip()}" for name, description in labels.items()]
    return [name.strip() for name in labels]


def ask_all(lines: list[str], text: str) -> str:
    """The labels come before the text: requests with the same labels share the beginning."""
    listed = "\n".join(f"- {line}" for line in lines)
    return (
        "Classify the text into exactly one of these labels.\n\n"
        f"Labels:\n{listed}\n\nText:\n{text}\n\nAnswer with the label only."
    )


def ask_one(line: str, text: str) -> str:
    """The text comes before the label: the labels of one text share the beginning."""
    return (
        f"Text:\n{text}\n\nDoes this label fit the text?\n\nLabel: {line}\n\nAnswer with yes or no."
    )
