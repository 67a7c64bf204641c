"""Which calls are taken for the same beginning, and how long that is remembered."""

from __future__ import annotations

from typing import Any

import pytest

from llmaas_server.backends.affinity import Affinity, prefix_key
from llmaas_server.seam.values import Call, ModelRef

DECODER = ModelRef("a", "", "decoder")
LONG = "You answer in one sentence. " * 30


def call(
    *said: tuple[str, Any], model: ModelRef = DECODER, tenant: str = "t", task: str = "chat"
) -> Call:
    messages = [{"role": role, "content": content} for role, content in said]
    return Call("c1", task, model, {"messages": messages}, tenant=tenant)


HELLO = call(("system", "Be brief."), ("user", "Hello"))


def test_every_turn_of_a_conversation_has_the_same_key() -> None:
    said = [("system", "Be brief."), ("user", "Hello")]
    later = call(*said, ("assistant", "Hello!"), ("user", "What is new?"))
    assert prefix_key(later) == prefix_key(HELLO)


def test_a_long_beginning_is_enough() -> None:
    first = call(("system", LONG), ("user", "one"))
    assert prefix_key(first) == prefix_key(call(("system", LONG), ("user", "two")))


OTHERS = {
    "another text": call(("system", "Be brief."), ("user", "Good day")),
    "another system prompt": call(("system", "Be long."), ("user", "Hello")),
    "another tenant": call(("system", "Be brief."), ("user", "Hello"), tenant="u"),
    "another model": call(
        ("system", "Be brief."), ("user", "Hello"), model=ModelRef("b", "", "decoder")
    ),
    "another task": call(("system", "Be brief."), ("user", "Hello"), task="summarize"),
    "another role": call(("user", "Be brief."), ("user", "Hello")),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_different(other: Call) -> None:
    assert prefix_key(other) != prefix_key(HELLO)


def test_a_text_counts_by_its_beginning() -> None:
    def key(text: object) -> int | None:
        return prefix_key(Call("c1", "summarize", DECODER, {"text": text}))

    assert key(LONG + "one") == key(LONG + "two") == key([LONG, "three"])
    assert key("one") != key("two")


def test_a_model_that_keeps_no_prompts_has_no_key() -> None:
    encoder = ModelRef("e", "", "encoder")
    assert prefix_key(Call("c1", "embed", encoder, {"text": "one"})) is None


@pytest.mark.parametrize(
    "request_", [{}, {"messages": 1}, {"messages": [1, {"role": 2}]}, {"text": [1]}]
)
def test_what_nobody_has_validated_does_no_harm(request_: dict[str, Any]) -> None:
    assert prefix_key(Call("c1", "chat", DECODER, request_)) is not None


def test_the_longest_unused_is_forgotten() -> None:
    affinity = Affinity(most=2)
    affinity.note(1, "a")
    affinity.note(2, "b")
    affinity.note(1, "c")
    affinity.note(3, "d")
    assert [affinity.find(key) for key in (1, 2, 3)] == ["c", None, "d"]
