"""What the fake backend makes up, and what it tells the tests that use it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from llmaas_client.wire import TASKS
from llmaas_server.backends.fake import MODEL_NAME, FakeBackend
from llmaas_server.backends.fake_answer import Answer
from llmaas_server.backends.fake_answers import answer
from llmaas_server.errors import Problem
from llmaas_server.seam.values import Accepted
from support.backends import chat, complete, until_delta

TEXT = "One fox runs. Two dogs sleep! 三只猫等待。Four birds fly"


def ask(task: str, **request: Any) -> Answer:
    return answer(TASKS[task].request.model_validate(request), context=100)


def say(text: str, **request: Any) -> Answer:
    return ask("chat", messages=[{"role": "user", "content": text}], **request)


@pytest.mark.parametrize(
    ("request_", "text", "finish"),
    [
        ({}, "one two three", "stop"),
        ({"max_tokens": 2}, "one two ", "length"),
        ({"max_tokens": 3}, "one two three", "stop"),
        ({"stop": "two"}, "one ", "stop"),
        ({"stop": ["three", "wo"]}, "one t", "stop"),
        ({"stop": "one"}, "", "stop"),
        ({"stop": "four"}, "one two three", "stop"),
    ],
)
def test_chat_says_the_words_back(request_: dict[str, Any], text: str, finish: str) -> None:
    said = say("one  two\nthree", **request_)
    assert said.body["message"]["content"] == "".join(said.pieces) == text
    assert said.body["finish_reason"] == finish
    assert said.completion_tokens == len(said.pieces) <= said.max_completion_tokens


def test_chat_has_a_log_probability_for_each_token() -> None:
    said = say("one two", logprobs=True, top_logprobs=2)
    assert [entry["token"] for entry in said.body["logprobs"]] == ["one ", "two"]
    assert [len(entry["top"]) for entry in said.body["logprobs"]] == [2, 2]


@pytest.mark.parametrize("request_", [{"max_tokens": 99}, {}])
def test_a_prompt_and_its_answer_fit_the_context(request_: dict[str, Any]) -> None:
    words = "w " * (2 if request_ else 100)
    with pytest.raises(Problem) as caught:
        say(words, **request_)
    assert caught.value.code == "context_overflow"


def test_classify_prefers_the_label_whose_words_are_there() -> None:
    texts = ["what a happy dog", "so sad a day"]
    results = ask("classify", text=texts, labels=["happy", "sad"]).body["results"]
    assert [result["label"] for result in results] == ["happy", "sad"]
    for result in results:
        assert sum(item["score"] for item in result["scores"]) == pytest.approx(1)


def test_classify_abstains_below_the_threshold() -> None:
    (result,) = ask("classify", text="rain", labels=["a", "b"], threshold=0.99).body["results"]
    assert result["abstained"]
    assert result["label"] is None


def test_summary_sentences_are_spans_of_the_source() -> None:
    body = ask("summarize", text=TEXT, length="medium").body
    assert [sentence["text"] for sentence in body["sentences"]] == [
        "One fox runs.",
        "Two dogs sleep!",
        "三只猫等待。",
        "Four birds fly",
    ]
    for sentence in body["sentences"]:
        (source,) = sentence["sources"]
        assert TEXT[source["start"] : source["end"]] == sentence["text"]


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_a_summary_never_has_more_words_than_asked_for(most: int) -> None:
    body = ask("summarize", text=TEXT, max_words=most).body
    assert len(body["summary"].split()) == body["words"] == most


def test_embeddings_are_unit_vectors_near_each_other_where_words_are_shared() -> None:
    first, second, third = ask("embed", text=["a b c d", "a b c e", "x y z"]).body["embeddings"]
    assert all(math.hypot(*vector) == pytest.approx(1) for vector in (first, second, third))
    assert dot(first, second) > dot(first, third)


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


async def test_it_remembers_what_was_cancelled_and_released() -> None:
    backend = FakeBackend()
    await backend.start()
    await backend.measure(chat("one two three", id="cancelled"))
    run = backend.run("cancelled")
    await until_delta(run)
    await run.aclose()
    await backend.measure(chat("released", id="released"))
    await backend.release("released")
    events = await complete(backend, chat("complete", id="complete"))
    assert (backend.cancelled, backend.released) == (["cancelled"], ["released"])
    assert events[0] == Accepted(1, MODEL_NAME)
    await backend.stop(0)
