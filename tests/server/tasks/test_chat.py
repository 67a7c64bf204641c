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
    assert plain.making.sampling == DECODER.sampling
    asked = read_request("chat", DECODER, messages=HELLO, temperature=0.0, seed=3, top_k=5)
    assert asked.making.sampling == Sampling(temperature=0.0, top_p=0.9, top_k=5, seed=3)


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


# --- several answers ----------------------------------------------------------------------------


async def test_several_answers_have_seeds_of_their_own_and_one_prompt() -> None:
    runtime = FakeRuntime(reply=lambda _: "Hi")
    outcome = await run_task(
        "chat", DECODER, runtime, messages=HELLO, n=3, seed=2**63 - 2, logprobs=True, max_tokens=5
    )
    assert [g.sampling.seed for g in runtime.generations] == [2**63 - 2, 2**63 - 1, 0]
    assert runtime.most_running > 1
    assert outcome.result.usage.prompt_tokens == outcome.prompt.prompt_tokens == 12
    assert outcome.result.usage.completion_tokens == 6
    assert outcome.prompt.max_completion_tokens == 15
    assert [choice.text for choice in outcome.wire.choices] == ["Hi"] * 3
    assert all(len(choice.logprobs) == 2 for choice in outcome.wire.choices)
    assert outcome.wire.answers == outcome.wire.choices


async def test_the_others_wait_until_the_prompt_is_computed() -> None:
    runtime = FakeRuntime(reply=lambda _: "")
    await run_task("chat", DECODER, runtime, messages=HELLO, n=2)
    assert runtime.most_running == 1  # the first said nothing, and ended


async def test_each_answer_stops_for_itself() -> None:
    replies = iter(["one STOP two", "three"])
    runtime = FakeRuntime(reply=lambda _: next(replies))
    outcome = await run_task("chat", DECODER, runtime, messages=HELLO, n=2, stop="STOP")
    assert [choice.text for choice in outcome.wire.choices] == ["one ", "three"]
    assert runtime.running == 0


async def test_one_that_fails_fails_the_call_and_stops_the_others() -> None:
    runtime = FakeRuntime(reply=lambda _: "a long answer", hold=asyncio.Event())

    class Failing(FakeRuntime):
        async def generate(self, model: Any, generation: Any) -> Any:
            if runtime.generations:
                raise Problem("out_of_memory")
            async for item in runtime.generate(model, generation):
                yield item

    with pytest.raises(Problem) as caught:
        await run_task("chat", DECODER, Failing(), messages=HELLO, n=2)
    assert caught.value.code == "out_of_memory"
    assert runtime.running == 0


async def test_leaving_stops_all_answers() -> None:
    runtime = FakeRuntime(reply=lambda _: "a long answer", hold=asyncio.Event())
    async with aclosing(start_task("chat", DECODER, runtime, messages=HELLO, n=3)) as events:
        for _ in range(3):
            await anext(events)
        assert runtime.running == 3
    assert runtime.running == 0


# --- what was thought ---------------------------------------------------------------------------

THOUGHT = "<think>\nHm, a STOP.\n</think>\n\nHi STOP there"


def thinker() -> Any:
    model = fake_model("decoder")
    model.tokenizer.chat_template = "<think>{{ messages }}</think>"
    return model


async def think(**request: Any) -> Outcome:
    runtime = FakeRuntime(reply=lambda _: THOUGHT)
    return await run_task("chat", thinker(), runtime, messages=HELLO, **request)


async def test_what_was_thought_is_apart() -> None:
    outcome = await think(logprobs=True)
    assert (outcome.wire.message.reasoning, outcome.wire.text) == ("Hm, a STOP.", "Hi STOP there")
    assert "".join(delta.reasoning for delta in outcome.deltas) == "Hm, a STOP."
    assert outcome.streamed == "Hi STOP there"
    parts = {"content": "", "reasoning": ""}
    for entry in outcome.wire.logprobs:
        parts[entry.part] += entry.token
    assert parts == {"content": "Hi STOP there", "reasoning": "<think>\nHm, a STOP.\n</think>\n\n"}


async def test_what_was_thought_can_be_hidden() -> None:
    outcome = await think(reasoning="hide", logprobs=True)
    assert outcome.wire.message.reasoning is None
    assert not any(delta.reasoning for delta in outcome.deltas)
    assert "".join(entry.token for entry in outcome.wire.logprobs) == outcome.wire.text
    assert outcome.result.usage.completion_tokens == len(THOUGHT)


async def test_stops_do_not_count_in_what_was_thought() -> None:
    outcome = await think(stop="STOP")
    assert (outcome.wire.message.reasoning, outcome.wire.text) == ("Hm, a STOP.", "Hi ")


async def test_models_without_marks_say_all() -> None:
    assert (await chat(THOUGHT)).wire.text == THOUGHT
    assert (await chat(THOUGHT, reasoning="hide")).wire.text == THOUGHT
