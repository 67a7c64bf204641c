"""Summarize over a fake runtime: spans, coverage, limits, parts and merges."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import pytest

from llmaas_server.errors import Problem
from llmaas_server.seam.values import Progress
from llmaas_server.tasks.summarizers import extractive
from llmaas_server.tasks.text import words
from support.fake_runtime import FakeModel, FakeRuntime, fake_model
from support.tasks import Outcome, read_request, run_task, start_task

NEWS = (
    "The river flood destroyed the old bridge in town. Nobody was hurt.\n\n"
    "Dr. Miller said the flood of the river closed the town for a week. "
    "Engineers will build the bridge again. It will cost 3.5 million. "
    "My aunt prefers green apples over yellow ones."
)
CHINESE = (
    "今天河水淹没了小镇。老桥被河水冲走了！没有人受伤吗？工程师说：“桥会重建。”小镇的人很高兴。"
)


def check(outcome: Outcome, text: str | list[str]) -> None:
    """What holds for every summary."""
    documents = [text] if isinstance(text, str) else text
    summary = outcome.wire
    assert summary.coverage == 1.0
    assert outcome.streamed == summary.summary
    assert summary.words == words.count(summary.summary)
    for sentence in summary.sentences:
        assert sentence.text in summary.summary
        assert sentence.sources
        for source in sentence.sources:
            assert 0 <= source.start < source.end <= len(documents[source.document])
        if summary.method == "extractive":
            (span,) = sentence.sources
            assert documents[span.document][span.start : span.end] == sentence.text
            assert sentence.support == 1.0
        else:
            assert sentence.support is None


async def extract(text: str | list[str], model: FakeModel | None = None, **request: Any) -> Outcome:
    outcome = await run_task(
        "summarize", model or fake_model(), FakeRuntime(), text=text, **request
    )
    check(outcome, text)
    assert outcome.wire.method == "extractive"
    return outcome


async def write(
    text: str | list[str], model: FakeModel, runtime: FakeRuntime, **request: Any
) -> Outcome:
    outcome = await run_task("summarize", model, runtime, text=text, **request)
    check(outcome, text)
    assert outcome.wire.method == "abstractive"
    assert runtime.running == 0
    return outcome


# --- extractive ---------------------------------------------------------------------------------


async def test_sentences_of_the_source_in_its_order() -> None:
    outcome = await extract(NEWS, length="short")
    starts = [sentence.sources[0].start for sentence in outcome.wire.sentences]
    assert len(starts) == 2
    assert starts == sorted(starts)
    assert "apples" not in outcome.wire.summary
    assert outcome.result.usage.prompt_tokens == outcome.prompt.prompt_tokens
    assert outcome.progress[-1] == Progress("reading", 6, 6)


@pytest.mark.parametrize(("length", "sentences"), [("short", 2), ("medium", 4), ("long", 8)])
async def test_length(length: str, sentences: int) -> None:
    text = " ".join(
        f"Sentence number {i} speaks of {random.Random(i).random()}." for i in range(30)
    )
    outcome = await extract(text, length=length)
    assert len(outcome.wire.sentences) == sentences


async def test_a_summary_is_shorter_than_its_text() -> None:
    assert len((await extract("One here. Two there. Three more.")).wire.sentences) == 2
    assert (await extract("Only this one.")).wire.summary == "Only this one."


@pytest.mark.parametrize("style", ["paragraph", "bullets", "headline"])
@pytest.mark.parametrize("text", [NEWS, CHINESE], ids=["english", "chinese"])
async def test_max_words_are_never_exceeded(text: str, style: str) -> None:
    refusals = 0
    for max_words in range(1, 60):
        try:
            outcome = await extract(text, max_words=max_words, style=style)
        except Problem as refusal:
            refusals += 1
            problem = refusal
        else:
            assert 0 < outcome.wire.words <= max_words
    # All that is refused is shorter than the shortest sentence, which the refusal names.
    assert (problem.code, problem.param) == ("invalid_request", "max_words")
    assert f"Raise max_words to {refusals + 1} or more" in problem.hint


async def test_styles() -> None:
    bullets = await extract(NEWS, style="bullets", length="short")
    lines = bullets.wire.summary.split("\n")
    assert lines == [f"- {sentence.text}" for sentence in bullets.wire.sentences]
    headline = await extract(NEWS, style="headline", length="long")
    assert len(headline.wire.sentences) == 1
    assert headline.wire.words <= 20


async def test_chinese() -> None:
    outcome = await extract(CHINESE, length="short")
    assert len(outcome.wire.sentences) == 2
    assert " " not in outcome.wire.summary
    assert outcome.wire.words == len(outcome.wire.summary)


async def test_several_documents() -> None:
    texts = ["The flood took the bridge. Rain fell.", "  The flood took the road. Snow fell."]
    outcome = await extract(texts, length="short")
    assert {s.sources[0].document for s in outcome.wire.sentences} == {0, 1}


async def test_sentences_beyond_the_context_are_read_in_windows() -> None:
    text = "The flood and " + "the flood and " * 20 + "rain. " + "Short one here. " * 3
    await extract(text, fake_model(context=20))


async def test_a_book_is_read_in_bounded_chunks() -> None:
    runtime = FakeRuntime()
    text = " ".join(f"Chapter {i} tells of {i * i} storms and of the sea." for i in range(5000))
    outcome = await run_task("summarize", fake_model(), runtime, text=text)
    check(outcome, text)
    assert outcome.wire.parts == len(runtime.embedded) > 10
    assert max(len(chunk) for chunk in runtime.embedded) <= 256
    assert [item.done for item in outcome.progress] == sorted(i.done for i in outcome.progress)


def test_more_sentences_than_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractive, "MAX_SENTENCES", 5)
    with pytest.raises(Problem, match="6 sentences, and 5") as caught:
        read_request("summarize", fake_model(), text=NEWS)
    assert (caught.value.code, caught.value.param) == ("invalid_request", "text")


# --- abstractive --------------------------------------------------------------------------------

DECODER = fake_model("decoder")


def tell(prompt: str) -> str:
    """Two sentences that say how much of a prompt was read."""
    return f"A part of {len(prompt)} characters. Another sentence. "


async def test_one_prompt_for_a_short_text() -> None:
    runtime = FakeRuntime(reply=lambda prompt: "It rained. A bridge fell.")
    outcome = await write(NEWS, DECODER, runtime)
    assert outcome.wire.summary == "It rained. A bridge fell."
    assert outcome.wire.parts == len(runtime.generations) == 1
    assert outcome.result.usage.prompt_tokens == outcome.prompt.prompt_tokens
    assert outcome.progress == []
    assert NEWS in runtime.tokenizer.decode(runtime.generations[0].prompt)
    assert runtime.generations[0].sampling.temperature == 0.0
    (source,) = outcome.wire.sentences[0].sources
    assert (source.start, source.end) == (0, len(NEWS))


@pytest.mark.parametrize(
    "model",
    [
        fake_model("decoder", context=700),
        fake_model("decoder", context=2500),
        fake_model("seq2seq", context=300),
        fake_model("seq2seq", context=300, max_completion=40),
    ],
    ids=["decoder-700", "decoder-2500", "seq2seq", "seq2seq-40"],
)
@pytest.mark.parametrize("text", [NEWS * 20, CHINESE * 60], ids=["english", "chinese"])
async def test_a_long_text_is_read_in_parts_and_merged(text: str, model: FakeModel) -> None:
    runtime = FakeRuntime(reply=tell)
    outcome = await write(text, model, runtime)
    parts = outcome.wire.parts
    assert parts > 1
    assert runtime.most_running == parts
    for generation, part in zip(runtime.generations, outcome.prompt.parts, strict=False):
        (source,) = part.sources
        prompt = runtime.tokenizer.decode(generation.prompt)
        assert text[source.start : source.end].strip() in prompt
    stages = [item.stage for item in outcome.progress]
    assert stages.count("reading") == parts
    for sentence in outcome.wire.sentences:
        spans = sentence.sources
        assert [spans[0].start, spans[-1].end] == [0, len(text)]
        assert all(a.end == b.start for a, b in pairwise(spans))


@pytest.mark.parametrize("reply", ["", "x" * 5000, "Many words follow here and there. " * 99])
async def test_whatever_the_model_writes(reply: str) -> None:
    model = fake_model("decoder", context=700)
    outcome = await write(NEWS * 10, model, FakeRuntime(reply=lambda _: reply), max_words=12)
    assert outcome.wire.words <= 12


async def test_borders_of_parts_are_borders_of_sentences() -> None:
    text = NEWS * 10
    prompt = read_request("summarize", fake_model("decoder", context=900), text=text)
    for part in prompt.parts[1:]:
        before = text[: part.sources[0].start].rstrip()
        assert before.endswith((".", "!", "?"))


async def test_a_sentence_beyond_the_context_is_cut_and_read_whole() -> None:
    text = "word " * 400
    outcome = await write(text, fake_model("seq2seq", context=120), FakeRuntime(reply=tell))
    assert outcome.wire.parts >= len(text) // 120


async def test_small_documents_share_a_part() -> None:
    texts = [f"Document {i} is short." for i in range(12)]
    outcome = await write(texts, DECODER, FakeRuntime(reply=lambda _: "All is short."))
    assert outcome.wire.parts == 1
    assert [s.document for s in outcome.wire.sentences[0].sources] == list(range(12))


@pytest.mark.parametrize("max_words", [1, 2, 5, 9])
async def test_max_words_of_a_written_summary(max_words: int) -> None:
    runtime = FakeRuntime(reply=lambda _: "A rather long sentence of words. And more. " * 9)
    outcome = await write(NEWS, DECODER, runtime, max_words=max_words)
    assert 0 < outcome.wire.words <= max_words


async def test_generation_ends_with_the_last_sentence_needed() -> None:
    runtime = FakeRuntime(reply=lambda _: "One is. Two is. Three is. " + "More is. " * 50)
    outcome = await write(NEWS, DECODER, runtime, length="short")
    assert outcome.wire.summary == "One is. Two is."
    assert outcome.result.usage.completion_tokens < 40


def test_a_context_too_small_for_any_prompt() -> None:
    with pytest.raises(Problem) as caught:
        read_request("summarize", fake_model("decoder", context=150), text="Some text.")
    assert caught.value.code == "context_overflow"
    assert "150" in caught.value.message


async def test_leaving_stops_all_parts() -> None:
    runtime = FakeRuntime(reply=lambda prompt: "x" if "Short one" in prompt else tell(prompt))
    runtime.hold = asyncio.Event()
    model = fake_model("decoder", context=700)
    text = "Short one. " * 20 + NEWS * 10
    async with aclosing(start_task("summarize", model, runtime, text=text)) as events:
        assert isinstance(await anext(events), Progress)
        assert runtime.running > 1
    assert runtime.running == 0


async def test_one_part_that_fails_ends_the_rest() -> None:
    def reply(prompt: str) -> str:
        if "Bad luck" in prompt:
            raise Problem("deadline_exceeded")
        return tell(prompt)

    runtime = FakeRuntime(reply=reply, hold=asyncio.Event())
    text = NEWS * 10 + " Bad luck came."
    with pytest.raises(Problem, match="over"):
        await run_task("summarize", fake_model("decoder", context=700), runtime, text=text)
    assert runtime.running == 0


# --- which way ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (fake_model(), "abstractive"),
        (fake_model("decoder"), "extractive"),
        (fake_model("seq2seq"), "extractive"),
        (fake_model("classifier"), "auto"),
        (fake_model(embeds=False), "auto"),
    ],
)
def test_a_model_that_cannot(model: FakeModel, method: str) -> None:
    with pytest.raises(Problem) as caught:
        read_request("summarize", model, text="Some text.", method=method)
    assert caught.value.code == "model_cannot_do_task"
    assert "model" in caught.value.hint
