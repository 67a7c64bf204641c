"""Results say where a model cannot read what it was given."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from llmaas_client.wire.chat import ChatRequest
from llmaas_client.wire.classifiers import ClassifierCreate
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_client.wire.embed import EmbedRequest
from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.models import catalogue
from llmaas_server.seam.values import ModelKind
from llmaas_server.tasks.legibility import CODE, SAMPLED, texts_of, warnings_of
from support.fake_runtime import FakeModel, fake_model

ODD = "□□□□"
"""What the model of these tests cannot read."""


def told(request: BaseModel, model: FakeModel | None = None) -> list[str]:
    warnings = warnings_of(request, [model or fake_model()])
    assert all(warning["code"] == CODE for warning in warnings)
    return [warning["message"] for warning in warnings]


def said(content: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": content}


REQUESTS: dict[str, tuple[BaseModel, str]] = {
    "embed": (EmbedRequest(text=ODD), "text"),
    "embed several": (EmbedRequest(text=["a", ODD]), "text[1]"),
    "classify": (ClassifyRequest(text=ODD, labels=["a", "b"]), "text"),
    "a label": (ClassifyRequest(text="a", labels=["a", ODD]), "labels[1]"),
    "a described label": (ClassifyRequest(text="a", labels={"a": "b", "c": ODD}), "labels['c']"),
    "summarize": (SummarizeRequest(text=[ODD]), "text[0]"),
    "a focus": (SummarizeRequest(text="a", focus=ODD), "focus"),
    "chat": (
        ChatRequest.model_validate({"messages": [said("a", "system"), said(ODD)]}),
        "messages[1].content",
    ),
    "examples": (
        ClassifierCreate(name="n", examples={"a": ["b", "c"], "d": [ODD, "e"]}),
        "examples['d'][0]",
    ),
}


@pytest.mark.parametrize(("request_", "where"), REQUESTS.values(), ids=REQUESTS)
def test_a_text_that_cannot_be_read_is_named(request_: BaseModel, where: str) -> None:
    (message,) = told(request_)
    assert message.startswith(f"fake-encoder cannot read {where}: 100% of the tokens are unknown")


def test_the_share_is_that_of_the_texts_that_cannot_be_read() -> None:
    (message,) = told(EmbedRequest(text=["fine", "□□□!", "▯▯▯▯!", "fine, too"]))
    assert "cannot read 2 of 4 texts, the first of them text[1]: 78% of" in message


def test_half_is_not_mostly() -> None:
    assert not told(EmbedRequest(text="□□ab"))
    assert told(EmbedRequest(text="□□□ab"))


def test_what_the_model_said_itself_is_no_matter() -> None:
    turns = [said("a"), said(ODD, "assistant"), said("b")]
    assert not told(ChatRequest.model_validate({"messages": turns}))


def test_a_second_model_is_named_by_itself() -> None:
    request = SummarizeRequest(text=ODD)
    both = warnings_of(request, [fake_model("decoder"), fake_model("encoder")])
    assert [one["message"].partition(" ")[0] for one in both] == ["fake-decoder", "fake-encoder"]


def test_long_texts_are_looked_at_from_beginning_to_end() -> None:
    assert not told(EmbedRequest(text=ODD * SAMPLED + "a" * 6 * SAMPLED))
    assert told(EmbedRequest(text="a" * SAMPLED + ODD * SAMPLED))
    assert told(EmbedRequest(text=ODD * SAMPLED))


def test_names_and_numbers_of_a_request_are_no_texts() -> None:
    request = ChatRequest.model_validate({"messages": [said("a")], "model": ODD, "stop": ODD})
    assert list(texts_of(request)) == [("messages[0].content", "a")]


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("encoder", "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"),
        ("decoder", "Qwen/Qwen2.5-0.5B-Instruct"),
        ("classifier", "lxyuan/distilbert-base-multilingual-cased-sentiments-student"),
        ("seq2seq", "Qwen/Qwen2.5-0.5B-Instruct"),
    ],
)
def test_the_warning_names_what_to_pull(kind: ModelKind, named: str) -> None:
    (message,) = told(EmbedRequest(text=ODD), fake_model(kind))
    assert f"(`llmaas models pull {named}`)" in message
    entry = catalogue.load().find(named)
    assert entry is not None
    assert {"multi", "zh"} <= {*entry.languages}
    assert not entry.gated
