"""Decide: several questions about one text; each is a classification of its own.

A chat model is told a question in words. Models that compare texts are asked twice: which answer
the text is near to, and which question with its answer. Measured on reviews, news, short messages
and intents, the answers alone say more (0.73, 0.92, 0.74, 0.69 right) than behind their question
(0.65, 0.78, 0.64, 0.61), and both together, in these shares, as much as the answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmaas_client.wire import decide as wire
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam.values import Delta, Progress, Result

from .base import Caller
from .classifiers import nli
from .classifiers.base import Scores, Scoring, check_total, softmax
from .classify import choose
from .meter import Meter

QUESTION_SHARE = 0.3

SAY_NOTHING = frozenset(("yes", "no", "true", "false"))
"""Answers that mean something behind their question only."""

Reading = tuple[float, Scoring]
"""One way to read a question, and its share in the answer."""


@dataclass(frozen=True, slots=True)
class DecidePrompt:
    questions: tuple[tuple[Reading, ...], ...]
    max_completion_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        return sum(scoring.prompt_tokens for readings in self.questions for _, scoring in readings)


class Decide:
    spec = wire.SPEC

    def prompt(
        self, request: wire.DecideRequest, model: Model, embedder: Model | None
    ) -> DecidePrompt:
        if model.ref.kind == "classifier" and nli.entailment_index(model) is None:
            raise Problem(
                "model_cannot_do_task",
                f"{model.ref.name!r} has labels of its own, and takes no others",
                hint="Choose an embedding model, an NLI model or a chat model.",
                param="model",
            )
        questions: list[tuple[Reading, ...]] = []
        total = 0
        for question in request.questions:
            ways = readings(question, request.text, tells=model.ref.kind == "decoder")
            questions.append(tuple((share, choose(way, model)) for share, way in ways))
            total += sum(scoring.prompt_tokens for _, scoring in questions[-1])
            check_total(total)
        return DecidePrompt(tuple(questions))

    async def run(
        self, prompt: DecidePrompt, model: Model, runtime: Runtime, caller: Caller
    ) -> AsyncGenerator[Delta | Progress | Result, None]:
        meter = Meter()
        work = (_judge(question, model, runtime, caller, meter) for question in prompt.questions)
        decisions = await asyncio.gather(*work)
        yield meter.result({"decisions": decisions})


async def _judge(
    question: Sequence[Reading], model: Model, runtime: Runtime, caller: Caller, meter: Meter
) -> dict[str, Any]:
    scores: list[tuple[float, Scores]] = []
    for share, scoring in question:
        judged = await scoring.judge(model, runtime, caller, meter)
        scores.append((share, judged.scores[0]))
    _, scoring = question[0]
    return {
        "scores": together(scores).tolist(),
        "method": scoring.method,
        "calibration": scoring.calibration,
    }


def together(scores: Sequence[tuple[float, Scores]]) -> Scores:
    """The geometric mean of several scores of the same labels, by their shares; sums to 1."""
    if len(scores) == 1:
        return scores[0][1]
    return softmax(
        np.sum([share * np.log(np.maximum(one, 1e-12)) for share, one in scores], axis=0)
    )


def readings(
    question: wire.Choose | wire.Hold, text: str, *, tells: bool
) -> list[tuple[float, ClassifyRequest]]:
    """A question as classifications; `tells`: the model is told in words what to do."""
    if isinstance(question, wire.Hold):
        said = question.statement
        labels: list[str] | dict[str, str] = [said] if tells else {"statement": said}
        return [(1.0, ClassifyRequest(text=text, labels=labels, multi=True))]
    if tells:
        asked = f"{text}\n\nQuestion: {question.question}"
        return [(1.0, ClassifyRequest(text=asked, labels=question.labels))]
    given = question.labels
    words = given if isinstance(given, dict) else {name: name for name in given}
    behind = {name: f"{question.question} {described}" for name, described in words.items()}
    with_question = ClassifyRequest(text=text, labels=behind)
    if SAY_NOTHING.issuperset(described.strip().lower() for described in words.values()):
        return [(1.0, with_question)]
    alone = ClassifyRequest(text=text, labels=given)
    return [(1 - QUESTION_SHARE, alone), (QUESTION_SHARE, with_question)]


TASK = Decide()
