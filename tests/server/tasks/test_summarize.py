"""Extractive summaries over a fake runtime: spans, coverage, limits."""

from __future__ import annotations

import random
from typing import Any

import pytest

from llmaas_server.errors import Problem
from llmaas_server.seam.values import Progress
from llmaas_server.tasks.summarizers import extractive
from llmaas_server.tasks.text import words
from support.fake_runtime import FakeModel, FakeRuntime, fake_model
from support.tasks import Outcome, read_request, run_task

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
        (span,) = sentence.sources
        assert documents[span.document][span.start : span.end] == sentence.text
        assert sentence.support == 1.0


async def extract(text: str | list[str], model: FakeModel | None = None, **request: Any) -> Outcome:
    outcome = await run_task(
        "summarize", model or fake_model(), FakeRuntime(), text=text, **request
    )
    check(outcome, text)
    assert outcome.wire.method == "extractive"
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
