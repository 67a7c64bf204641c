"""Embed over a fake runtime."""

from __future__ import annotations

import numpy as np
import pytest

from llmaas_server.errors import Problem
from llmaas_server.tasks.vectors import CHUNK_SEQUENCES, CHUNK_TOKENS, chunk_borders
from support.fake_runtime import FakeRuntime, bag_of_words, fake_model
from support.tasks import read_request, run_task


async def test_one_text() -> None:
    outcome = await run_task("embed", fake_model(), FakeRuntime(), text="one two")
    assert outcome.wire.embedding == pytest.approx(bag_of_words("one two").tolist())
    assert outcome.result.usage.prompt_tokens == len("one two") + 2
    assert outcome.result.timing.prefill_ms > 0


async def test_many_texts_in_bounded_chunks() -> None:
    runtime = FakeRuntime()
    texts = [f"text number {i}" for i in range(CHUNK_SEQUENCES + 3)]
    outcome = await run_task("embed", fake_model(), runtime, text=texts)
    assert [len(chunk) for chunk in runtime.embedded] == [CHUNK_SEQUENCES, 3]
    expected = np.stack([bag_of_words(text) for text in texts])
    assert np.array(outcome.wire.embeddings) == pytest.approx(expected)


def test_chunks_are_bounded_in_tokens() -> None:
    lengths = [10, CHUNK_TOKENS - 10, 1, CHUNK_TOKENS + 5, 7]
    borders = chunk_borders([[0] * length for length in lengths])
    assert borders == [(0, 2), (2, 3), (3, 4), (4, 5)]


def test_a_long_text_is_named() -> None:
    model = fake_model(context=10)
    with pytest.raises(Problem) as caught:
        read_request("embed", model, text=["short", "this is longer"])
    assert caught.value.code == "context_overflow"
    assert caught.value.message.startswith("text[1] needs 16 tokens")
    assert "10" in caught.value.message
    with pytest.raises(Problem, match="the text needs 16"):
        read_request("embed", model, text="this is longer")


def test_other_models_cannot() -> None:
    for model in (fake_model("decoder"), fake_model(embeds=False), fake_model("classifier")):
        with pytest.raises(Problem) as caught:
            read_request("embed", model, text="a")
        assert caught.value.code == "model_cannot_do_task"
