"""Which model serves a request that names none, by tables."""

from __future__ import annotations

from typing import Any

import pytest

from llmaas_client.wire import TASKS
from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.chat import ChatRequest, Message
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_client.wire.embed import EmbedRequest
from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.gateway.choice import (
    RULES,
    Candidate,
    Defaults,
    choose,
    needs_embedder,
    tokens_of,
)
from llmaas_server.models.inspect import tasks_of
from llmaas_server.seam.values import ModelKind, ModelRef
from llmaas_server.settings import Settings


def model(
    name: str, kind: ModelKind, context: int, bytes: int = 10, *, resident: bool = False
) -> Candidate:
    return Candidate(name, kind, tasks_of(kind, kind == "encoder"), context, bytes, resident)


SMALL = model("small", "decoder", 100)
LONG = model("long", "decoder", 1000, 50)
HUGE = model("huge", "decoder", 2000, 90)
HUGE_HERE = model("huge", "decoder", 2000, 90, resident=True)
VECTORS = model("vectors", "encoder", 50)
HEAD = model("head", "classifier", 50)
LONG_HEAD = model("long-head", "classifier", 900)
WRITER = model("writer", "seq2seq", 50)

HELLO = "hello " * 5
LONG_TEXT = "hello " * 200  # 400 tokens by the estimate
ENDLESS = "hello " * 5000


def chat(text: str, max_tokens: int | None = None) -> ChatRequest:
    return ChatRequest(messages=[Message(role="user", content=text)], max_tokens=max_tokens)


def classify(text: str | list[str], *, labels: bool = True) -> ClassifyRequest:
    return ClassifyRequest(text=text, labels=["a", "b"] if labels else None)


@pytest.mark.parametrize(
    ("request_", "default", "installed", "chosen", "by"),
    [
        # The default, for as long as it can: what is in memory changes nothing.
        (chat(HELLO), "small", [SMALL, LONG, HUGE_HERE], "small", "default"),
        (chat(HELLO), "small", [], "small", "default"),
        # By length: one in memory first, then the smallest.
        (chat(LONG_TEXT), "small", [SMALL, LONG, HUGE], "long", "length"),
        (chat(LONG_TEXT), "small", [SMALL, LONG, HUGE_HERE], "huge", "length"),
        (chat(HELLO, max_tokens=500), "small", [SMALL, LONG], "long", "length"),
        # Nobody holds it: the default's own refusal has the numbers.
        (chat(ENDLESS), "small", [SMALL, LONG], "small", "default"),
        (chat(LONG_TEXT), "small", [SMALL, VECTORS, WRITER], "small", "default"),
        # The default is not here.
        (chat(HELLO), "gone", [LONG, SMALL, VECTORS], "small", "installed"),
        (chat(HELLO), "gone", [HUGE_HERE, SMALL], "huge", "installed"),
        (chat(LONG_TEXT), "gone", [SMALL, LONG], "long", "installed"),
        (chat(HELLO), "gone", [VECTORS, WRITER, HEAD], "gone", "default"),
        # Embedding models read texts of any length in windows.
        (classify(LONG_TEXT), "vectors", [VECTORS, LONG], "vectors", "default"),
        (classify(LONG_TEXT), "small", [SMALL, LONG, LONG_HEAD], "long", "length"),
        (classify([HELLO, LONG_TEXT]), "head", [HEAD, VECTORS], "vectors", "length"),
        (classify(LONG_TEXT, labels=False), "head", [HEAD, LONG_HEAD], "long-head", "length"),
        (classify(HELLO, labels=False), "gone", [VECTORS, HEAD, SMALL], "head", "installed"),
        # Summaries are read in parts, and stay with their method.
        (SummarizeRequest(text=ENDLESS), "vectors", [VECTORS, HUGE], "vectors", "default"),
        (SummarizeRequest(text=HELLO), "gone", [WRITER, VECTORS], "vectors", "installed"),
        (
            SummarizeRequest(text=HELLO, method="abstractive"),
            "gone",
            [VECTORS, HEAD, WRITER],
            "writer",
            "installed",
        ),
        # Vectors of two models cannot be compared.
        (EmbedRequest(text=ENDLESS), "vectors", [VECTORS, LONG], "vectors", "default"),
        (EmbedRequest(text=HELLO), "gone", [VECTORS], "gone", "default"),
    ],
)
def test_choice(
    request_: TaskRequest, default: str, installed: list[Candidate], chosen: str, by: str
) -> None:
    task = next(name for name, spec in TASKS.items() if isinstance(request_, spec.request))
    name, choice = choose(task, request_, default, installed)
    assert (name, choice.by) == (chosen, by)


def test_reasons_have_the_numbers() -> None:
    _, choice = choose("chat", chat(LONG_TEXT), "small", [SMALL, HUGE_HERE])
    assert choice.reason == (
        "the default, small, holds 100 tokens, and this needs about 409; of those that hold it, "
        "this one is in memory"
    )
    _, choice = choose("chat", chat(HELLO), "gone", [SMALL])
    assert choice.reason == (
        "the default, gone, is not on this machine; of those that can chat, this one is the "
        "smallest"
    )


@pytest.mark.parametrize(
    ("request_", "tokens"),
    [
        (chat("abcd"), 2 + 8 + 1),
        (chat("abc", max_tokens=10), 1 + 8 + 10),
        (chat("你好"), 2 + 8 + 1),
        (classify(["abc", "abcdef"]), 2),
        (SummarizeRequest(text=ENDLESS), 0),
        (EmbedRequest(text=ENDLESS), 0),
    ],
)
def test_estimate_of_length(request_: TaskRequest, tokens: int) -> None:
    assert tokens_of(request_) == tokens


@pytest.mark.parametrize(
    ("kind", "fields", "need"),
    [
        ("decoder", {}, "wanted"),
        ("decoder", {"focus": "The cost"}, "wanted"),
        ("decoder", {"strict": True}, "needed"),
        ("decoder", {"strategy": "extract"}, "needed"),
        ("decoder", {"strategy": "hierarchical"}, "wanted"),
        ("seq2seq", {"focus": "The cost"}, "needed"),
        ("seq2seq", {}, "wanted"),
        ("encoder", {"strict": True, "focus": "The cost"}, "no"),
    ],
)
def test_summaries_that_take_a_second_model(
    kind: ModelKind, fields: dict[str, Any], need: str
) -> None:
    request_ = SummarizeRequest(text="a", **fields)
    assert needs_embedder(request_, ModelRef("m", "/nowhere", kind)) == need


def test_every_task_has_a_rule() -> None:
    assert set(RULES) == set(TASKS)


def test_defaults_by_model() -> None:
    same = Settings(classify_model="m", embed_model="m", chat_model="c")
    assert Defaults(same).tasks_of("m") == ["classify", "embed"]
    assert Defaults(same).tasks_of("none") == []
