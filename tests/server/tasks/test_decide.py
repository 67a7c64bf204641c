"""Decisions over a fake runtime: how questions are read, and how readings are put together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from llmaas_client.wire.decide import Choose, Hold
from llmaas_server.errors import Problem
from llmaas_server.tasks.decide import QUESTION_SHARE, readings, together
from support.fake_runtime import FakeRuntime, fake_model
from support.tasks import read_request, run_task

NLI = ("contradiction", "neutral", "entailment")
TOPIC = {"question": "What is it about?", "labels": ["cars", "cooking"]}
TRUE = {"statement": "It is about cars."}


def test_a_chat_model_is_told_the_question() -> None:
    ((share, way),) = readings(Choose.model_validate(TOPIC), "The engine", tells=True)
    assert share == 1
    assert way.text == "The engine\n\nQuestion: What is it about?"
    assert way.labels == TOPIC["labels"]
    ((_, held),) = readings(Hold.model_validate(TRUE), "The engine", tells=True)
    assert (held.labels, held.multi) == (["It is about cars."], True)


def test_others_compare_answers_alone_and_behind_their_question() -> None:
    alone, behind = readings(Choose.model_validate(TOPIC), "The engine", tells=False)
    assert (alone[0], behind[0]) == (1 - QUESTION_SHARE, QUESTION_SHARE)
    assert alone[1].labels == TOPIC["labels"]
    assert behind[1].labels == {
        "cars": "What is it about? cars",
        "cooking": "What is it about? cooking",
    }
    ((_, held),) = readings(Hold.model_validate(TRUE), "The engine", tells=False)
    assert held.labels == {"statement": "It is about cars."}


def test_answers_that_say_nothing_alone_are_read_behind_their_question() -> None:
    question = Choose(question="Is it a car?", labels=["yes", "no"])
    ((share, way),) = readings(question, "The engine", tells=False)
    assert share == 1
    assert way.labels == {"yes": "Is it a car? yes", "no": "Is it a car? no"}


def test_shares_are_those_of_logarithms() -> None:
    scores = together([(0.7, np.array([0.8, 0.2])), (0.3, np.array([0.5, 0.5]))])
    raw = [math.exp(0.7 * math.log(p) + 0.3 * math.log(0.5)) for p in (0.8, 0.2)]
    assert scores.tolist() == pytest.approx([one / sum(raw) for one in raw])
    assert together([(1.0, np.array([0.4]))]).tolist() == [0.4], "a statement is alone"


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (fake_model("encoder"), "embedding"),
        (fake_model("classifier", labels=NLI), "nli"),
        (fake_model("decoder"), "label_scoring"),
    ],
)
async def test_each_question_has_its_answer(model: Any, method: str) -> None:
    runtime = FakeRuntime(logits=lambda text: (0.0, 0.5, float("cars" in text)))
    outcome = await run_task(
        "decide", model, runtime, text="cars drive", questions=[TOPIC, TRUE, TOPIC]
    )
    first, held, last = outcome.wire.decisions
    assert {one.method for one in outcome.wire.decisions} == {method}
    assert sum(first.scores) == pytest.approx(1)
    assert len(held.scores) == 1
    assert 0 <= held.scores[0] <= 1
    assert first.scores == pytest.approx(last.scores)
    assert outcome.result.usage.prompt_tokens == outcome.prompt.prompt_tokens


def test_a_head_of_its_own_takes_no_questions() -> None:
    with pytest.raises(Problem) as raised:
        read_request(
            "decide",
            fake_model("classifier", labels=("negative", "positive")),
            text="a",
            questions=[TOPIC],
        )
    assert raised.value.code == "model_cannot_do_task"
