"""What a written summary keeps: its support, its length, its ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import ValidationError

from llmaas_server.errors import Problem
from llmaas_server.seam.values import Delta, Progress, Result
from llmaas_server.tasks.base import Caller, find
from support.fake_runtime import FakeRuntime, fake_model
from support.summaries import (
    DECODER,
    EMBEDDER,
    FALSE,
    NEWS,
    TRUE,
    codes,
    long_text,
    prompts,
    saying,
    tell,
    write,
)
from support.tasks import read_request, run_task, start_task

# --- support ------------------------------------------------------------------------------------


async def test_every_sentence_has_its_spans_and_its_support() -> None:
    outcome = await write(NEWS, DECODER, saying(f"{TRUE} {FALSE}"), embedder=EMBEDDER)
    first, second, third, fourth = outcome.wire.sentences
    assert first.supported
    assert second.supported
    (source,) = first.sources
    assert NEWS[source.start : source.end] == first.text
    assert not third.supported
    assert any("17" in reason for reason in third.reasons)
    assert not fourth.supported
    assert fourth.support < 0.5 < second.support
    assert outcome.wire.unsupported == 2
    assert codes(outcome) == ["unsupported_sentences"]
    assert "2 of 4 sentences" in outcome.wire.warnings[0].message
    assert outcome.progress[-1] == Progress("checking", 4, 4)


async def test_a_summary_with_support_has_no_warning() -> None:
    outcome = await write(NEWS, DECODER, saying(TRUE), embedder=EMBEDDER, length="short")
    assert outcome.wire.unsupported == 0
    assert outcome.wire.warnings == []


@pytest.mark.parametrize("style", ["paragraph", "bullets"])
async def test_strict_leaves_out_what_the_text_does_not_support(style: str) -> None:
    outcome = await write(
        NEWS, DECODER, saying(f"{FALSE} {TRUE}"), embedder=EMBEDDER, strict=True, style=style
    )
    assert [sentence.text for sentence in outcome.wire.sentences] == [
        "The river flood destroyed the old bridge in town.",
        "Engineers will build the bridge again.",
    ]
    assert (outcome.wire.dropped, outcome.wire.unsupported) == (2, 0)
    assert outcome.wire.warnings == []
    assert outcome.wire.method == "abstractive"


async def test_where_strict_leaves_nothing_the_text_speaks_for_itself() -> None:
    outcome = await write(
        NEWS, DECODER, saying(FALSE), embedder=EMBEDDER, strict=True, length="short"
    )
    assert outcome.wire.method == "extractive"
    assert outcome.wire.strategy is None
    assert outcome.wire.dropped == 2
    assert codes(outcome) == ["extractive_instead"]
    for sentence in outcome.wire.sentences:
        (source,) = sentence.sources
        assert NEWS[source.start : source.end] == sentence.text


async def test_where_strict_leaves_nothing_and_no_sentence_is_short_enough() -> None:
    outcome = await write(NEWS, DECODER, saying(FALSE), embedder=EMBEDDER, strict=True, max_words=2)
    assert (outcome.wire.summary, outcome.wire.sentences) == ("", [])
    assert codes(outcome) == ["empty_summary"]
    assert outcome.wire.dropped > 0


async def test_where_a_model_writes_nothing_the_text_speaks_for_itself() -> None:
    outcome = await write(NEWS, DECODER, saying(""), embedder=EMBEDDER)
    assert outcome.wire.method == "extractive"
    assert outcome.wire.dropped == 0
    assert codes(outcome) == ["extractive_instead"]


# --- length -------------------------------------------------------------------------------------


def by_sections(prompt: str) -> str:
    """Two sentences on the first thing that a prompt speaks of."""
    topic = prompt[prompt.index("Chapter") :].split(".")[0]
    return f"{topic}. It matters to {len(prompt)} people."


@pytest.mark.parametrize(("length", "sentences"), [("short", 2), ("medium", 4), ("long", 8)])
@pytest.mark.parametrize("strategy", ["extract", "hierarchical"])
@pytest.mark.parametrize("context", [2500, 100_000])
async def test_a_model_that_writes_two_sentences_is_asked_on(
    length: str, sentences: int, strategy: str, context: int
) -> None:
    model = fake_model("decoder", context=context)
    runtime = FakeRuntime(reply=lambda p: by_sections(p) if "Chapter" in p else tell(p))
    outcome = await write(
        long_text(120), model, runtime, embedder=EMBEDDER, length=length, strategy=strategy
    )
    assert abs(len(outcome.wire.sentences) - sentences) <= 1
    assert "shorter_than_asked" not in codes(outcome)


async def test_sections_follow_each_other_as_in_the_text() -> None:
    text = long_text(40)
    runtime = FakeRuntime(reply=by_sections)
    outcome = await write(text, fake_model("decoder", context=100_000), runtime, length="long")
    whole, *sections = prompts(runtime)
    assert text in whole
    starts = [section[section.index("Chapter") :][:60] for section in sections]
    assert [text.index(start) for start in starts] == sorted(map(text.index, starts))
    chapters = [s.text for s in outcome.wire.sentences if s.text.startswith("Chapter")]
    assert [text.index(chapter) for chapter in chapters] == sorted(map(text.index, chapters))


async def test_a_model_that_never_writes_enough_is_reported() -> None:
    outcome = await write(long_text(40), DECODER, saying("Nothing else."), length="long")
    assert len(outcome.wire.sentences) == 1
    assert "shorter_than_asked" in codes(outcome)


async def test_a_summary_is_not_longer_than_half_of_its_text() -> None:
    runtime = saying("It rained.")
    outcome = await write("It rains. It pours.", DECODER, runtime, length="long")
    assert len(runtime.generations) == 1
    assert "shorter_than_asked" not in codes(outcome)


async def test_generation_ends_with_the_last_sentence_needed() -> None:
    runtime = saying("One is. Two is. Three is. " + "More is. " * 50)
    outcome = await write(NEWS, DECODER, runtime, length="short")
    assert outcome.wire.summary == "One is. Two is."
    assert outcome.result.usage.completion_tokens < 40


async def test_a_model_that_turns_in_circles_is_stopped() -> None:
    runtime = saying("It fell. " * 200)
    outcome = await write(NEWS, DECODER, runtime, length="short")
    assert outcome.wire.summary == "It fell."
    (generation,) = runtime.generations
    assert outcome.result.usage.completion_tokens < generation.max_tokens / 2


async def test_a_cry_is_no_headline() -> None:
    outcome = await write(NEWS, DECODER, saying("Awesome! A flood took it."), style="headline")
    assert outcome.wire.summary == "A flood took it."


@pytest.mark.parametrize("max_words", [1, 2, 5, 9])
@pytest.mark.parametrize("style", ["paragraph", "bullets", "headline"])
@pytest.mark.parametrize("strict", [False, True])
async def test_max_words_of_a_written_summary(max_words: int, style: str, strict: bool) -> None:
    runtime = saying("A rather long sentence of words. And more. " * 9)
    request = {"embedder": EMBEDDER, "strict": strict, "style": style, "max_words": max_words}
    outcome = await write(NEWS, DECODER, runtime, **request)
    assert outcome.wire.words <= max_words
    assert strict or outcome.wire.words > 0


@pytest.mark.parametrize("reply", ["", "x" * 5000, "Many words follow here and there. " * 99])
async def test_whatever_the_model_writes(reply: str) -> None:
    model = fake_model("decoder", context=900)
    for embedder in (None, EMBEDDER):
        outcome = await write(NEWS * 10, model, saying(reply), max_words=12, embedder=embedder)
        assert outcome.wire.words <= 12


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["text", "focus"])
@pytest.mark.parametrize("value", ["", "  \n"])
def test_empty_text_and_focus(field: str, value: str) -> None:
    with pytest.raises(ValidationError, match="empty"):
        find("summarize").spec.request.model_validate({"text": NEWS, field: value})


@pytest.mark.parametrize("max_words", [0, -1, 10_001])
def test_a_max_words_that_cannot_be(max_words: int) -> None:
    with pytest.raises(ValidationError):
        read_request("summarize", DECODER, text=NEWS, max_words=max_words)


def test_a_context_too_small_for_any_prompt() -> None:
    with pytest.raises(Problem) as caught:
        read_request("summarize", fake_model("decoder", context=150), text="Some text.")
    assert caught.value.code == "context_overflow"
    assert "150" in caught.value.message


# --- leaving ------------------------------------------------------------------------------------


class Held(FakeRuntime):
    """Embeds only when `hold` is set."""

    async def embed(self, *args: Any, **options: Any) -> Any:
        self.running += 1
        try:
            if self.hold is not None:
                await self.hold.wait()
            return await super().embed(*args, **options)
        finally:
            self.running -= 1


async def test_leaving_stops_all_parts() -> None:
    runtime = FakeRuntime(reply=lambda prompt: "x" if "Short one" in prompt else tell(prompt))
    runtime.hold = asyncio.Event()
    model = fake_model("decoder", context=900)
    text = "Short one. " * 20 + NEWS * 10
    async with aclosing(start_task("summarize", model, runtime, text=text)) as events:
        assert isinstance(await anext(events), Progress)
        assert runtime.running > 1
    assert runtime.running == 0


def after_reading(event: Any) -> bool:
    return isinstance(event, Progress) and event.stage == "reading"


def after_writing(event: Any) -> bool:
    return isinstance(event, Delta)


@pytest.mark.parametrize("strategy", ["extract", "hierarchical"])
@pytest.mark.parametrize("reached", [after_reading, after_writing])
async def test_cancelling_in_the_middle_frees_everything(
    strategy: str, reached: Callable[[Any], bool]
) -> None:
    """What the worker does with a call that is cancelled: its coroutine is."""
    runtime = Held(reply=tell)
    model = fake_model("decoder", context=2500)
    events = start_task(
        "summarize", model, runtime, text=long_text(120), embedder=EMBEDDER, strategy=strategy
    )
    there = asyncio.Event()

    async def follow() -> None:
        async with aclosing(events):
            async for event in events:
                if reached(event):
                    # From here on nothing comes to an end by itself.
                    runtime.hold = asyncio.Event()
                    there.set()

    call = asyncio.create_task(follow())
    async with asyncio.timeout(20):
        await there.wait()
        while not runtime.running:  # noqa: ASYNC110 (the fake tells nobody)
            await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert runtime.running == 0


async def test_one_part_that_fails_ends_the_rest() -> None:
    def reply(prompt: str) -> str:
        if "Bad luck" in prompt:
            raise Problem("deadline_exceeded")
        return tell(prompt)

    runtime = FakeRuntime(reply=reply, hold=asyncio.Event())
    text = NEWS * 10 + " Bad luck came."
    with pytest.raises(Problem, match="over"):
        await run_task("summarize", fake_model("decoder", context=900), runtime, text=text)
    assert runtime.running == 0


class Late(FakeRuntime):
    """Its time is over once sentences of a summary are to be embedded."""

    deadlines: list[float | None]

    async def embed(self, model: Any, sequences: Any, **options: Any) -> Any:
        self.deadlines.append(options["deadline"])
        if self.generations:
            raise Problem("deadline_exceeded")
        return await super().embed(model, sequences, **options)


async def test_a_deadline_in_the_middle() -> None:
    """Every piece of work knows the deadline; what has begun ends when it is over."""
    runtime = Late(reply=tell)
    runtime.deadlines = []
    prompt = read_request(
        "summarize", fake_model("decoder", context=2500), text=long_text(120), embedder=EMBEDDER
    )
    events = find("summarize").run(prompt, DECODER, runtime, Caller("t", deadline=99.0))
    seen: list[Delta | Progress | Result] = []

    async def follow() -> None:
        async with aclosing(events):
            async for event in events:
                seen.append(event)

    with pytest.raises(Problem) as caught:
        await follow()
    assert caught.value.code == "deadline_exceeded"
    assert any(isinstance(event, Delta) for event in seen)
    assert {generation.deadline for generation in runtime.generations} == {99.0}
    assert set(runtime.deadlines) == {99.0}
    assert runtime.running == 0
