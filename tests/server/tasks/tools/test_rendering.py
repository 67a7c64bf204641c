"""Messages and tools as templates get them."""

from __future__ import annotations

import json
from typing import Any

from llmaas_client.wire.messages import Message
from llmaas_client.wire.tools import Tool
from llmaas_server.tasks.tools import rendering

TOOL = Tool(name="look", description='Says "what" is there.')


def conversation(*, ids: tuple[str, str] = ("a", "b")) -> list[Message]:
    calls: list[dict[str, Any]] = [
        {"id": ids[0], "name": "look", "arguments": {"at": "今天"}},
        {"id": ids[1], "name": "stop"},
    ]
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Look"},
        {"role": "assistant", "content": "I look.", "reasoning": "Hm.", "tool_calls": calls},
        {"role": "tool", "tool_call_id": ids[1], "content": "stopped"},
        {"role": "tool", "tool_call_id": ids[0], "content": "sun", "name": "look"},
    ]
    return [Message.model_validate(message) for message in messages]


def test_templates_that_know_tools_get_them_as_they_know_them() -> None:
    user, assistant, stopped, looked = rendering.native_messages(conversation(), reasoning=True)
    assert user == {"role": "user", "content": "Look"}
    assert assistant["reasoning_content"] == "Hm."
    first, second = assistant["tool_calls"]
    assert first["function"] == {"name": "look", "arguments": {"at": "今天"}}
    assert second["function"] == {"name": "stop", "arguments": {}}
    assert (stopped["name"], stopped["tool_call_id"]) == ("stop", second["id"])
    assert (looked["name"], looked["tool_call_id"]) == ("look", first["id"])


def test_ids_are_nine_letters_and_digits() -> None:
    messages = rendering.native_messages(
        conversation(ids=("call_1-é", "abcDEF123")), reasoning=False
    )
    first, second = (call["id"] for call in messages[1]["tool_calls"])
    assert len(first) == 9
    assert first.isascii()
    assert first.isalnum()
    assert second == "abcDEF123"
    assert rendering.call_id("x") == rendering.call_id("x") != rendering.call_id("y")


def test_what_was_thought_is_told_where_it_is_wanted() -> None:
    for render in (rendering.native_messages, rendering.plain_messages):
        assert all("reasoning_content" not in m for m in render(conversation(), reasoning=False))


def test_other_templates_get_calls_in_words() -> None:
    turns = rendering.plain_messages(conversation(), reasoning=False)
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    said = turns[1]["content"]
    assert said.startswith("I look.\n<tool_call>\n")
    assert '{"name": "look", "arguments": {"at": "今天"}}' in said
    assert "stop returned: stopped\n\nlook returned: sun" in turns[2]["content"]


def test_users_do_not_speak_twice_in_a_row() -> None:
    messages = [*conversation(), Message(role="user", content="Thanks")]
    turns = rendering.plain_messages(messages, reasoning=False)
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert turns[2]["content"].endswith("look returned: sun\n\nThanks")


def test_tools_are_told_by_the_system_or_else_by_the_user() -> None:
    turns = [{"role": "user", "content": "Hi"}]
    by_system, by_user = rendering.with_tools(turns, [TOOL])
    assert [turn["role"] for turn in by_system] == ["system", "user"]
    (told,) = [line for line in by_system[0]["content"].splitlines() if "look" in line]
    assert json.loads(told) == TOOL.model_dump()
    assert by_user[0]["content"].endswith("Hi")
    assert "look" in by_user[0]["content"]
    (only,) = rendering.with_tools([{"role": "system", "content": "Be brief."}, *turns], [TOOL])
    assert only[0]["content"].startswith("Be brief.\n\n")
