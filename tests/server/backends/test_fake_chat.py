"""What the fake backend says in chats with tools, thoughts and several answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmaas_client.wire.chat import ChatRequest
from llmaas_server.backends.fake_answer import Answer
from llmaas_server.backends.fake_chat import chat

LOOK = {
    "name": "look",
    "parameters": {
        "type": "object",
        "properties": {"at": {"type": "string"}, "times": {"type": "integer", "minimum": 2}},
    },
}
STOP: dict[str, Any] = {"name": "stop"}


def say(text: str, **request: Any) -> Answer:
    messages = request.pop("messages", [{"role": "user", "content": text}])
    return chat(ChatRequest.model_validate({"messages": messages, **request}), 100)


def test_the_tool_that_is_named_is_called() -> None:
    said = say("Please look there", tools=[STOP, LOOK])
    assert said.body["finish_reason"] == "tool_calls"
    (call,) = said.body["message"]["tool_calls"]
    assert (call["name"], call["arguments"]) == ("look", {"at": "there", "times": 2})
    first, *others = [delta.tool_call for delta in said.deltas if delta.tool_call is not None]
    assert (first.id, first.name) == (call["id"], "look")
    assert json.loads("".join(piece.arguments for piece in others)) == call["arguments"]


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        (None, None),
        ("auto", None),
        ("none", None),
        ("required", "stop"),
        ({"name": "look"}, "look"),
    ],
)
def test_the_choice_is_kept(choice: Any, name: str | None) -> None:
    said = say("Hello there", tools=[STOP, LOOK], tool_choice=choice)
    calls = said.body["message"].get("tool_calls", [])
    assert [call["name"] for call in calls] == ([] if name is None else [name])


def test_what_a_tool_brought_is_said() -> None:
    call = {"id": "1", "name": "look", "arguments": {}}
    messages = [
        {"role": "user", "content": "look there"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "look, the sun"},
    ]
    assert say("", messages=messages, tools=[LOOK]).body["message"]["content"] == "look, the sun"


def test_a_call_that_is_cut() -> None:
    said = say("look there", tools=[LOOK], max_tokens=2)
    assert said.body["finish_reason"] == "length"
    assert said.body["cut_call"]["name"] == "look"
    assert "tool_calls" not in said.body["message"]


def test_thoughts_are_between_the_marks() -> None:
    text = "<think>one two</think> three four"
    said = say(text, logprobs=True)
    assert said.body["message"] == {
        "role": "assistant",
        "content": "three four",
        "reasoning": "one two",
    }
    assert [entry.get("part") for entry in said.body["logprobs"]] == ["reasoning"] * 2 + [None] * 2
    hidden = say(text, reasoning="hide")
    assert "reasoning" not in hidden.body["message"]
    assert (hidden.completion_tokens, len(hidden.deltas)) == (4, 2)
    assert say(text, reasoning="off").completion_tokens == 2


def test_several_answers_come_in_turn() -> None:
    said = say("one two three", n=2)
    texts = [choice["message"]["content"] for choice in said.body["choices"]]
    assert texts == ["one two three", "two three one"]
    assert [delta.choice for delta in said.deltas] == [0, 1] * 3
    assert (said.prompt_tokens, said.completion_tokens) == (3, 6)
    assert "".join(said.pieces) == "one two three"
