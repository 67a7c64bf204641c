"""How a source comes before a model that writes: whole, in an excerpt, in parts, for a focus."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from llmaas_server.errors import Problem
from support.fake_runtime import FakeModel, FakeRuntime, fake_model
from support.summaries import (
    CHINESE,
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
from support.tasks import read_request

# --- whole --------------------------------------------------------------------------------------


async def test_one_prompt_for_a_short_text() -> None:
    runtime = saying("It rained. A bridge fell. All is wet.")
    outcome = await write(NEWS, DECODER, runtime)
    assert outcome.wire.summary == "It rained. A bridge fell. All is wet."
    assert (outcome.wire.method, outcome.wire.strategy) == ("abstractive", "whole")
    assert (outcome.wire.coverage, outcome.wire.written_from) == (1.0, 1.0)
    assert outcome.wire.parts == len(runtime.generations) == 1
    assert outcome.progress == []
    assert NEWS in prompts(runtime)[0]
    assert runtime.generations[0].sampling.temperature == 0.0
    (source,) = outcome.wire.sentences[0].sources
    assert (source.start, source.end) == (0, len(NEWS))


async def test_without_sentence_vectors_nothing_is_checked_and_the_result_says_so() -> None:
    outcome = await write(NEWS, DECODER, saying(FALSE))
    assert outcome.wire.unsupported is None
    assert [s.support for s in outcome.wire.sentences] == [None, None]
    assert codes(outcome) == ["support_not_measured"]


class NoSystem(type(DECODER.tokenizer)):  # type: ignore[misc]
    def encode_chat(self, messages: Any, **options: Any) -> list[int]:
        if messages[0]["role"] == "system":
            raise Problem("invalid_request", "the template refuses the messages")
        return super().encode_chat(messages, **options)  # type: ignore[no-any-return]


async def test_a_template_without_a_place_for_instructions_has_them_before_the_text() -> None:
    model = FakeModel(DECODER.ref, tokenizer=NoSystem())
    runtime = saying("It rained.")
    await write(NEWS, model, runtime, focus="What will it cost?")
    (prompt, *_) = prompts(runtime)
    assert prompt.startswith("user\n")
    # What to do stands before the text, and what it is about nearest to the answer.
    assert prompt.index("summary") < prompt.index(NEWS) < prompt.index("What will it cost?")


# --- an excerpt ---------------------------------------------------------------------------------


async def test_a_text_beyond_the_context_is_written_from_its_best_sentences() -> None:
    text = long_text(120)
    runtime = FakeRuntime(reply=tell)
    outcome = await write(text, fake_model("decoder", context=2500), runtime, embedder=EMBEDDER)
    assert outcome.wire.strategy == "extract"
    assert outcome.wire.coverage == 1.0
    assert 0.1 < outcome.wire.written_from < 0.6
    (prompt, *_) = prompts(runtime)
    read = [sentence for sentence in text.split(". ") if sentence in prompt]
    assert 10 < len(read) < 120
    assert [prompt.index(sentence) for sentence in read] == sorted(map(prompt.index, read))
    stages = [item.stage for item in outcome.progress]
    assert stages == ["reading"] * stages.count("reading") + ["checking"]


@pytest.mark.parametrize("strategy", ["auto", "extract", "hierarchical"])
@pytest.mark.parametrize("sentences", [120, 900])
async def test_which_strategy(strategy: str, sentences: int) -> None:
    model = fake_model("decoder", context=2500)
    outcome = await write(
        long_text(sentences),
        model,
        FakeRuntime(reply=tell),
        embedder=EMBEDDER,
        strategy=strategy,
    )
    a_book_is_read_in_parts = "extract" if sentences == 120 else "hierarchical"
    assert outcome.wire.strategy == (a_book_is_read_in_parts if strategy == "auto" else strategy)
    assert outcome.wire.coverage == 1.0
    assert (outcome.wire.written_from == 1.0) == (outcome.wire.strategy == "hierarchical")


@pytest.mark.parametrize("strategy", ["extract", "hierarchical"])
async def test_what_one_prompt_holds_is_read_whole_whatever_the_strategy(strategy: str) -> None:
    outcome = await write(
        NEWS, DECODER, saying(TRUE), embedder=EMBEDDER, strategy=strategy, length="short"
    )
    assert outcome.wire.strategy == "whole"


@pytest.mark.parametrize("model", [DECODER, fake_model("seq2seq")])
@pytest.mark.parametrize("context", [400, 1000, 3000])
async def test_a_single_word_of_a_hundred_thousand_characters(
    model: FakeModel, context: int
) -> None:
    text = "x" * 100_000
    small = fake_model(model.ref.kind, context=context if model is not DECODER else context + 300)
    for strategy in ("extract", "hierarchical"):
        outcome = await write(
            text, small, FakeRuntime(reply=tell), embedder=EMBEDDER, strategy=strategy
        )
        assert outcome.wire.coverage == 1.0
        assert outcome.wire.strategy == strategy


@pytest.mark.parametrize("context", [700, 2000])
@pytest.mark.parametrize("documents", [1, 3, 60])
@pytest.mark.parametrize("strategy", ["extract", "hierarchical"])
@pytest.mark.parametrize("answer", ["word " * 200, "Short. "])
async def test_costs_stay_within_what_was_measured(
    context: int, documents: int, strategy: str, answer: str
) -> None:
    """`run_task` holds the usage of every call to its prompt's bounds."""
    texts = [long_text(120 // documents, f"document {i}") for i in range(documents)]
    model = fake_model("decoder", context=context)
    await write(texts, model, saying(answer), embedder=EMBEDDER, strategy=strategy)


# --- parts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        fake_model("decoder", context=900),
        fake_model("decoder", context=2500),
        fake_model("seq2seq", context=300),
        fake_model("seq2seq", context=300, max_completion=40),
    ],
    ids=["decoder-900", "decoder-2500", "seq2seq", "seq2seq-40"],
)
@pytest.mark.parametrize("text", [NEWS * 20, CHINESE * 60], ids=["english", "chinese"])
async def test_a_long_text_is_read_in_parts_and_merged(text: str, model: FakeModel) -> None:
    runtime = FakeRuntime(reply=tell)
    outcome = await write(text, model, runtime)
    parts = outcome.wire.parts
    assert parts > 1
    assert runtime.most_running == parts
    asked = prompts(runtime)
    for prompt, part in zip(asked, outcome.prompt.reading.parts_read, strict=False):
        (source,) = part.sources
        assert text[source.start : source.end].strip() in prompt
    stages = [item.stage for item in outcome.progress]
    assert stages.count("reading") == parts
    assert outcome.wire.coverage == outcome.wire.written_from == 1.0
    for sentence in outcome.wire.sentences:
        spans = sentence.sources
        assert [spans[0].start, spans[-1].end] == [0, len(text)]
        assert all(a.end == b.start for a, b in pairwise(spans))


async def test_a_book_is_merged_in_several_rounds() -> None:
    text = long_text(2000)
    runtime = FakeRuntime(reply=tell)
    outcome = await write(text, fake_model("decoder", context=900), runtime)
    merging = [item for item in outcome.progress if item.stage == "merging"]
    rounds = [item.total for item in merging if item.done == item.total]
    assert len(rounds) >= 2
    assert outcome.wire.parts > rounds[0] > rounds[-1]
    # Fan-in is what a prompt holds: each round is smaller by at least a half.
    assert all(
        after <= -(-before // 2) for before, after in pairwise([outcome.wire.parts, *rounds])
    )
    assert outcome.wire.coverage == 1.0


async def test_borders_of_parts_are_borders_of_sentences() -> None:
    text = NEWS * 10
    prompt = read_request("summarize", fake_model("decoder", context=1000), text=text)
    for part in prompt.reading.parts_read[1:]:
        before = text[: part.sources[0].start].rstrip()
        assert before.endswith((".", "!", "?"))


async def test_a_sentence_beyond_the_context_is_cut_and_read_whole() -> None:
    text = "word " * 400
    outcome = await write(text, fake_model("seq2seq", context=120), FakeRuntime(reply=tell))
    assert outcome.wire.parts >= len(text) // 120
    assert outcome.wire.coverage == 1.0


async def test_parts_of_which_a_model_says_nothing() -> None:
    runtime = saying("")
    outcome = await write(NEWS * 20, fake_model("decoder", context=900), runtime)
    assert outcome.wire.summary == ""
    assert codes(outcome) == ["empty_summary"]
    assert len(runtime.generations) == outcome.wire.parts  # There was nothing to merge.


# --- several documents --------------------------------------------------------------------------


async def test_small_documents_share_a_part() -> None:
    texts = [f"Document {i} is short." for i in range(12)]
    outcome = await write(texts, DECODER, saying("All is short."))
    assert outcome.wire.parts == 1
    assert [s.document for s in outcome.wire.sentences[0].sources] == list(range(12))


async def test_documents_are_named_to_a_model_that_is_told_what_to_do() -> None:
    texts = [NEWS, CHINESE, "The sea is calm today."]
    runtime = saying("It rained.")
    await write(texts, DECODER, runtime)
    prompt = prompts(runtime)[0]
    assert "the 3 input documents" in prompt
    for number, text in enumerate(texts, start=1):
        assert f"Document {number}:\n{text}" in prompt


async def test_documents_are_not_named_to_an_encoder_decoder() -> None:
    runtime = saying("It rained.")
    await write([NEWS, "The sea is calm today."], fake_model("seq2seq"), runtime)
    assert "Document" not in prompts(runtime)[0]


async def test_summaries_of_documents_are_merged_under_their_names() -> None:
    texts = [long_text(30, f"place {i}") for i in range(4)]
    runtime = FakeRuntime(reply=tell)
    outcome = await write(texts, fake_model("decoder", context=2500), runtime)
    assert outcome.wire.strategy == "hierarchical"
    merged = prompts(runtime)[outcome.wire.parts]
    assert "Document 1: A part of" in merged
    assert "Document 4: A part of" in merged


async def test_sources_say_which_document() -> None:
    texts = [NEWS, "The museum of Lyon shows 40 paintings of Monet. Entry is free on Mondays."]
    answer = "The museum of Lyon shows 40 paintings of Monet."
    outcome = await write(texts, DECODER, saying(answer), embedder=EMBEDDER)
    (source,) = outcome.wire.sentences[0].sources
    assert (source.document, source.start, source.end) == (1, 0, 47)


def test_more_documents_than_a_request_may_have() -> None:
    with pytest.raises(ValidationError, match="1024"):
        read_request("summarize", DECODER, text=["A text."] * 3000)


async def test_a_thousand_documents() -> None:
    texts = [f"Report {i} speaks of {i * i} trees." for i in range(1024)]
    model = fake_model("decoder", context=3000)
    outcome = await write(texts, model, FakeRuntime(reply=tell), embedder=EMBEDDER)
    assert outcome.wire.coverage == 1.0


# --- a focus ------------------------------------------------------------------------------------

FOCUS = "What do the elephants eat?"


async def test_the_focus_is_in_every_prompt() -> None:
    for strategy in ("hierarchical", "extract"):
        runtime = FakeRuntime(reply=tell)
        await write(
            long_text(120),
            fake_model("decoder", context=2500),
            runtime,
            embedder=EMBEDDER,
            strategy=strategy,
            focus=FOCUS,
        )
        assert len(runtime.generations) > 0
        assert all(FOCUS in prompt for prompt in prompts(runtime))


@pytest.mark.parametrize("kind", ["decoder", "seq2seq"])
async def test_an_excerpt_has_what_the_focus_asks_for(kind: Any) -> None:
    answer = "The grey elephants eat small leaves from the forest floor."
    text = f"{long_text(100, 'the trade')} {answer} {long_text(100, 'the trade')}"
    runtime = FakeRuntime(reply=tell)
    await write(text, fake_model(kind, context=2500), runtime, embedder=EMBEDDER, focus=FOCUS)
    assert answer in prompts(runtime)[0]


async def test_an_encoder_decoder_reads_only_what_is_about_the_focus() -> None:
    answer = "The grey elephants eat small leaves from the forest floor."
    text = f"{long_text(20, 'the trade')} {answer}"
    runtime = saying(answer)
    outcome = await write(
        text, fake_model("seq2seq"), runtime, embedder=EMBEDDER, focus=FOCUS, length="short"
    )
    prompt = prompts(runtime)[0]
    assert answer in prompt
    assert prompt.count("Chapter") <= 8
    assert FOCUS not in prompt
    assert outcome.wire.strategy == "extract"
    assert outcome.wire.written_from < 0.5


# --- what takes sentence vectors ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "request_", "param"),
    [
        (DECODER, {"strict": True}, "strict"),
        (DECODER, {"strategy": "extract"}, "strategy"),
        (fake_model("seq2seq"), {"focus": FOCUS}, "focus"),
    ],
)
def test_refused_without_sentence_vectors(
    model: FakeModel, request_: dict[str, Any], param: str
) -> None:
    with pytest.raises(Problem, match=param) as caught:
        read_request("summarize", model, text=NEWS, **request_)
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", param)
    assert "pull" in caught.value.hint


def test_an_encoder_decoder_cannot_read_all_for_a_focus() -> None:
    model = fake_model("seq2seq")
    with pytest.raises(Problem) as caught:
        read_request(
            "summarize", model, text=NEWS, embedder=EMBEDDER, focus=FOCUS, strategy="hierarchical"
        )
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "focus")


def test_a_strategy_is_not_for_extractive_summaries() -> None:
    with pytest.raises(Problem) as caught:
        read_request("summarize", EMBEDDER, text=NEWS, strategy="hierarchical")
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "strategy")
