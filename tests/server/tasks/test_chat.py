"""Chat over a runtime that says what the test tells it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from llmaas_server.errors import Problem
from llmaas_server.runtime.request import Sampling
from llmaas_server.seam.values import Delta
from support.fake_runtime import FakeRuntime, fake_model
from support.tasks import Outcome, read_request, run_task, start_task

HELLO = [{"role": "user", "content": "Hello"}]
DECODER = fake_model("decoder")


async def chat(reply: str, **request: Any) -> Outcome:
    runtime = FakeRuntime(reply=lambda _: reply)
    outcome = await run_task("chat", DECODER, runtime, messages=HELLO, **request)
    assert outcome.streamed == outcome.wire.text
    assert runtime.running == 0
    return outcome


async def test_an_answer() -> None:
    outcome = await chat("Hi there!")
    assert outcome.wire.text == "Hi there!"
    assert outcome.wire.finish_reason == "stop"
    assert outcome.wire.logprobs is None
    assert outcome.result.usage.completion_tokens == 9
    assert outcome.result.usage.prompt_tokens == outcome.prompt.prompt_tokens
    assert outcome.result.timing.queue_ms == pytest.approx(1.0)
    assert len(outcome.deltas) == 9


async def test_max_tokens_end_it() -> None:
    outcome = await chat("Hi there!", max_tokens=2)
    assert (outcome.wire.text, outcome.wire.finish_reason) == ("Hi", "length")


@pytest.mark.parametrize("ignore_eos", [False, True])
async def test_ignore_eos_takes_away_the_models_own_end(ignore_eos: bool) -> None:
    runtime = FakeRuntime()
    await run_task("chat", DECODER, runtime, messages=HELLO, ignore_eos=ignore_eos)
    (generation,) = runtime.generations
    assert generation.stop_ids == (frozenset() if ignore_eos else DECODER.stop_ids)


@pytest.mark.parametrize(
    ("reply", "stop", "text", "finish"),
    [
        ("one STOP two", "STOP", "one ", "stop"),
        ("one STO", "STOP", "one STO", "stop"),
        ("a\n\nb", ["\n\n", "b"], "a", "stop"),
        ("你好。再见", "。", "你好", "stop"),
        ("STOP", "STOP", "", "stop"),
        ("none of it", [], "none of it", "stop"),
    ],
)
async def test_stop_strings_are_not_seen(
    reply: str, stop: str | list[str], text: str, finish: str
) -> None:
    outcome = await chat(reply, stop=stop)
    assert (outcome.wire.text, outcome.wire.finish_reason) == (text, finish)


async def test_usage_counts_until_the_stop() -> None:
    outcome = await chat("one STOP two and much more", stop="STOP")
    assert outcome.result.usage.completion_tokens == len("one STOP")
    assert outcome.result.usage.prompt_tokens == outcome.prompt.prompt_tokens


async def test_a_stop_string_wins_over_max_tokens() -> None:
    outcome = await chat("abSTOPcd", stop="STOP", max_tokens=6)
    assert (outcome.wire.text, outcome.wire.finish_reason) == ("ab", "stop")


async def test_logprobs_follow_the_text() -> None:
    outcome = await chat("abSTcdSTOP", stop="STOP", logprobs=True, top_logprobs=2)
    assert [item.token for item in outcome.wire.logprobs] == list("abSTcd")
    assert [top.token for top in outcome.wire.logprobs[0].top] == ["a", "b"]
    streamed = [entry["token"] for delta in outcome.deltas for entry in delta.logprobs or []]
    assert "".join(streamed) == outcome.streamed == "abSTcd"
    for delta in outcome.deltas:
        assert "".join(entry["token"] for entry in delta.logprobs or []) == delta.text


async def test_logprobs_without_alternatives() -> None:
    outcome = await chat("ab", logprobs=True)
    assert [(item.token, item.top) for item in outcome.wire.logprobs] == [("a", []), ("b", [])]


def test_the_request_goes_over_the_defaults_of_the_model() -> None:
    plain = read_request("chat", DECODER, messages=HELLO)
    assert plain.sampling == DECODER.sampling
    asked = read_request("chat", DECODER, messages=HELLO, temperature=0.0, seed=3, top_k=5)
    assert asked.sampling == Sampling(temperature=0.0, top_p=0.9, top_k=5, seed=3)


@pytest.mark.parametrize(
    ("context", "asked", "granted"),
    [(4096, None, 512), (100, None, 100 - 12), (4096, 4000, 4000), (13, None, 1)],
)
def test_max_tokens(context: int, asked: int | None, granted: int) -> None:
    model = fake_model("decoder", context=context)
    prompt = read_request("chat", model, messages=HELLO, max_tokens=asked)
    assert prompt.prompt_tokens == 12
    assert prompt.max_completion_tokens == granted


@pytest.mark.parametrize(
    ("context", "asked", "numbers"),
    [(11, None, ("13", "11")), (12, None, ("13", "12")), (20, 9, ("21", "20"))],
)
def test_too_long_for_the_context(
    context: int, asked: int | None, numbers: tuple[str, str]
) -> None:
    with pytest.raises(Problem) as caught:
        read_request(
            "chat", fake_model("decoder", context=context), messages=HELLO, max_tokens=asked
        )
    assert caught.value.code == "context_overflow"
    assert all(number in caught.value.message for number in numbers)


@pytest.mark.parametrize("kind", ["encoder", "classifier", "seq2seq"])
def test_other_models_cannot(kind: Any) -> None:
    with pytest.raises(Problem) as caught:
        read_request("chat", fake_model(kind), messages=HELLO)
    assert caught.value.code == "model_cannot_do_task"


async def test_leaving_stops_the_work() -> None:
    runtime = FakeRuntime(reply=lambda _: "a long answer", hold=asyncio.Event())
    async with aclosing(start_task("chat", DECODER, runtime, messages=HELLO)) as events:
        assert await anext(events) == Delta("a")
        assert runtime.running == 1
    assert runtime.running == 0
