"""Completions over a runtime that says what the test tells it."""

from __future__ import annotations

from typing import Any

import pytest

from llmaas_server.errors import Problem
from support.fake_runtime import FakeRuntime, fake_model
from support.tasks import read_request, run_task

DECODER = fake_model("decoder")


async def test_texts_are_read_as_they_are() -> None:
    runtime = FakeRuntime(reply=lambda _: " time")
    outcome = await run_task("complete", DECODER, runtime, text="Once upon a")
    (generation,) = runtime.generations
    assert list(generation.prompt) == DECODER.tokenizer.encode("Once upon a")
    (one,) = outcome.wire.completions
    assert (one.text, one.finish_reason, one.logprobs) == (" time", "stop", None)
    assert outcome.streamed == " time"


async def test_answers_are_numbered_by_text_and_then_by_n() -> None:
    runtime = FakeRuntime(reply=lambda _: "ab")
    outcome = await run_task(
        "complete", DECODER, runtime, text=["x", "yz"], n=2, max_tokens=1, seed=5
    )
    assert [(one.text, one.finish_reason) for one in outcome.wire.completions] == [
        ("a", "length")
    ] * 4
    assert sorted(delta.choice for delta in outcome.deltas) == [0, 1, 2, 3]
    assert sorted(g.sampling.seed or 0 for g in runtime.generations) == [5, 5, 6, 6]
    # Each text is counted once, however often it is gone on with.
    lengths = [len(DECODER.tokenizer.encode(text)) for text in ("x", "yz")]
    assert outcome.result.usage.prompt_tokens == sum(lengths) == outcome.prompt.prompt_tokens
    assert outcome.prompt.max_completion_tokens == 4
    assert outcome.result.usage.completion_tokens == 4


async def test_stops_and_logprobs() -> None:
    runtime = FakeRuntime(reply=lambda _: "one. two")
    outcome = await run_task("complete", DECODER, runtime, text="a", stop=".", logprobs=True)
    (one,) = outcome.wire.completions
    assert one.text == "one"
    assert "".join(entry.token for entry in one.logprobs) == "one"


@pytest.mark.parametrize(
    ("kind", "request_", "code"),
    [
        ("encoder", {}, "model_cannot_do_task"),
        ("decoder", {"max_tokens": 1_000_000}, "context_overflow"),
    ],
)
def test_refusals(kind: Any, request_: dict[str, Any], code: str) -> None:
    with pytest.raises(Problem) as raised:
        read_request("complete", fake_model(kind), text="a", **request_)
    assert raised.value.code == code
