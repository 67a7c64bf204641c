"""Chats over HTTP: what streams tell of reasoning, calls and several answers."""

from __future__ import annotations

import json
from typing import Any

import httpx

from llmaas_client.wire.chat import ChatResult
from llmaas_client.wire.events import Delta
from llmaas_client.wire.sse import Decoder
from support.front import Front

TOOLS = [{"name": "look", "parameters": {"type": "object", "properties": {"at": {}}}}]
TEXT = "<think>Hm well</think> look there"


def chat(server: Front, **fields: Any) -> httpx.Response:
    messages = [{"role": "user", "content": TEXT}]
    return server.http.post("/v1/tasks/chat", json={"messages": messages, **fields})


def streamed(server: Front, **fields: Any) -> tuple[list[dict[str, Any]], ChatResult]:
    """The data of all deltas, and the result."""
    content = chat(server, stream=True, **fields).content
    first, *deltas, last = Decoder().feed(content)
    assert (first.event, last.event) == ("start", "done")
    return [json.loads(delta.data) for delta in deltas], ChatResult.model_validate_json(last.data)


def test_a_call_is_streamed_in_pieces(server: Front) -> None:
    said, result = streamed(server, tools=TOOLS)
    assert [delta["reasoning"] for delta in said[:2]] == ["Hm ", "well"]
    assert said[2] == {"text": "", "tool_call": {"index": 0, "id": "call-0", "name": "look"}}
    pieces = [Delta.model_validate(delta).tool_call for delta in said[3:]]
    text = "".join(piece.arguments for piece in pieces if piece is not None)
    (call,) = result.message.tool_calls
    assert json.loads(text) == call.arguments == {"at": "there"}
    assert result.message.reasoning == "Hm well"
    assert result.finish_reason == "tool_calls"
    assert set(said[0]) == {"text", "reasoning"}


def test_several_answers_are_streamed_side_by_side(server: Front) -> None:
    said, result = streamed(server, n=2, reasoning="hide")
    assert [delta.get("choice", 0) for delta in said] == [0, 1, 0, 1]
    assert [answer.text for answer in result.choices] == ["look there", "there look"]
    assert result.text == "look there"
    whole = ChatResult.model_validate_json(chat(server, n=2, reasoning="hide").content)
    assert whole.choices == result.choices
    assert whole.usage == result.usage


def test_one_answer_has_no_choices_beside_it(server: Front) -> None:
    body = chat(server).json()
    assert "choices" not in body
    assert set(body["message"]) == {"role", "content", "reasoning"}


def test_bad_tools_are_refused_before_anything_runs(server: Front) -> None:
    response = chat(server, tools=TOOLS, tool_choice={"name": "other"}, stream=True)
    assert response.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert response.json()["error"]["param"] == "tool_choice.name"
