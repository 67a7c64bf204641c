"""Chat with documents: what the model is given, what is cited, and that nothing is cut silently."""

from __future__ import annotations

from typing import Any

import pytest

from llmaas_client.wire.chat import ChatRequest, ChatResult
from llmaas_server.errors import Problem
from llmaas_server.gateway.choice import needs_embedder
from support.fake_runtime import FakeRuntime, fake_model
from support.tasks import Outcome, read_request, run_task

DECODER = fake_model("decoder", context=8192)
EMBEDDER = fake_model()

DOCUMENTS: list[Any] = [
    {"id": "returns", "title": "Returns", "text": "Unused items can be returned within 30 days."},
    "Standard delivery costs 4 euros. Express delivery costs 12 euros and arrives next day.",
    {"text": "The warranty lasts two years. Water damage is not covered."},
]


async def ask(
    question: str,
    reply: str,
    *,
    documents: list[Any] = DOCUMENTS,
    model: Any = DECODER,
    **request: Any,
) -> tuple[Outcome, ChatResult, FakeRuntime]:
    runtime = FakeRuntime(reply=lambda _: reply)
    request.setdefault("messages", [{"role": "user", "content": question}])
    outcome = await run_task(
        "chat", model, runtime, embedder=EMBEDDER, documents=documents, **request
    )
    return outcome, outcome.wire, runtime


def prompt_of(runtime: FakeRuntime) -> str:
    return runtime.tokenizer.decode(runtime.generations[0].prompt)


async def test_the_nearest_passage_is_given_and_cited() -> None:
    said = "Express delivery costs 12 euros. It flies on dragons."
    outcome, result, runtime = await ask("What does express delivery cost?", said)
    assert result.passages is not None
    assert result.passages[0].document == 1
    assert result.passages[0].text in str(DOCUMENTS[1])
    assert "Express delivery costs 12 euros" in prompt_of(runtime)
    assert "Water damage" not in prompt_of(runtime)
    assert prompt_of(runtime).endswith("What does express delivery cost?")
    assert result.citations is not None
    (citation,) = result.citations
    source = str(DOCUMENTS[1])
    assert citation.text == source[citation.start : citation.end]
    assert "12 euros" in citation.text
    assert said[citation.answer_start : citation.answer_end] == "Express delivery costs 12 euros."
    assert citation.support > 0.5
    assert result.unsupported is not None
    assert [one.text for one in result.unsupported] == ["It flies on dragons."]
    assert result.unsupported[0].reasons
    assert outcome.progress[-1].stage == "reading"
    assert outcome.progress[-1].done == outcome.progress[-1].total


async def test_a_wrong_number_is_not_supported() -> None:
    _, result, _ = await ask("What does express delivery cost?", "Express delivery costs 13 euros.")
    assert result.citations == []
    assert result.unsupported is not None
    assert "13" in result.unsupported[0].reasons[0]


async def test_ids_and_titles_go_along() -> None:
    _, result, runtime = await ask(
        "When can items be returned?", "Items can be returned within 30 days."
    )
    assert "[1] Returns: Unused items" in prompt_of(runtime)
    assert result.passages is not None
    assert result.citations is not None
    assert (result.passages[0].id, result.citations[0].id) == ("returns", "returns")


async def test_where_nothing_is_about_it_the_model_is_told() -> None:
    _, result, runtime = await ask("Who won yesterday's match?", "Nobody knows.")
    assert (result.passages, result.citations) == ([], [])
    assert "Nothing in the documents is about this" in prompt_of(runtime)
    assert result.unsupported is not None
    assert result.unsupported[0].reasons == ["no passage of the documents was given"]


async def test_a_question_goes_with_the_one_before() -> None:
    messages = [
        {"role": "user", "content": "Tell me of the warranty"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "How long is it"},
    ]
    _, result, _ = await ask("", "Two years.", messages=messages)
    assert result.passages is not None
    assert result.passages[0].document == 2


async def test_chinese_questions_are_told_in_chinese() -> None:
    _, result, runtime = await ask(
        "快递费用是十二元吗",
        "快递费用是十二元。",
        documents=["快递费用是十二元。退货期限是三十天。"],
    )
    assert "请根据以上片段回答问题" in prompt_of(runtime)
    assert result.citations is not None
    assert result.citations[0].text == "快递费用是十二元。"


async def test_long_documents_are_read_whole_and_fit_the_prompt() -> None:
    filler = "Nothing of note happened on that day in the long corridor of the old house. "
    long = filler * 200 + "The secret code of the vault is 4711. " + filler * 200
    model = fake_model("decoder", context=2048)
    outcome, result, runtime = await ask(
        "What is the secret code of the vault?",
        "The secret code of the vault is 4711.",
        documents=[long],
        model=model,
        max_tokens=100,
    )
    assert sum(len(ids) for batch in runtime.embedded for ids in batch) > len(long)
    (generation,) = runtime.generations
    assert len(generation.prompt) + generation.max_tokens <= model.context
    assert "4711" in prompt_of(runtime)
    assert result.citations is not None
    assert "4711" in long[result.citations[0].start : result.citations[0].end]
    assert outcome.prompt.prompt_tokens >= outcome.result.usage.prompt_tokens


async def test_a_format_has_no_sentences_to_cite() -> None:
    prompt = read_request(
        "chat",
        DECODER,
        embedder=EMBEDDER,
        messages=[{"role": "user", "content": "x"}],
        documents=["a b c"],
    )
    assert prompt.shelf.cites


def test_the_embedding_model_is_needed() -> None:
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": "x"}]}
    plain = ChatRequest.model_validate(asked)
    with_documents = ChatRequest.model_validate(asked | {"documents": ["a"]})
    assert needs_embedder(plain, DECODER.ref) == "no"
    assert needs_embedder(with_documents, DECODER.ref) == "needed"
    with pytest.raises(Problem) as caught:
        read_request("chat", DECODER, **asked, documents=["a"])
    assert caught.value.code == "model_not_pulled"
    assert "llmaas models pull" in (caught.value.hint or "")


def test_without_room_it_is_an_overflow_with_numbers() -> None:
    with pytest.raises(Problem) as caught:
        read_request(
            "chat",
            fake_model("decoder", context=240),
            embedder=EMBEDDER,
            messages=[{"role": "user", "content": "x"}],
            documents=["a" * 50],
            max_tokens=100,
        )
    assert caught.value.code == "context_overflow"
    assert caught.value.needed is not None
    assert caught.value.needed > 240 == caught.value.limit


@pytest.mark.parametrize(
    ("documents", "param"),
    [
        ([], "documents"),
        ([""], "documents.0"),
        ([" \n"], "documents.0"),
        ([{"text": ""}], "documents.0.text"),
        ([{"title": "a"}], "documents.0.text"),
        ([{"text": "a", "url": "b"}], "documents.0.url"),
        (["a\0b"], "documents.0"),
        (["a"] * 1001, "documents"),
        ([3], "documents.0"),
        ("a", "documents"),
    ],
)
def test_bad_documents(documents: Any, param: str) -> None:
    from pydantic import ValidationError

    from llmaas_client.wire.validation import explain

    with pytest.raises(ValidationError) as caught:
        ChatRequest.model_validate(
            {"messages": [{"role": "user", "content": "x"}], "documents": documents}
        )
    detail = explain(caught.value).error
    assert (detail.param or "").startswith(param)


def test_documents_go_with_one_answer() -> None:
    with pytest.raises(ValueError, match="one answer"):
        ChatRequest.model_validate(
            {"messages": [{"role": "user", "content": "x"}], "documents": ["a"], "n": 2}
        )
