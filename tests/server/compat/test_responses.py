"""`POST /v1/responses`: items in, items out, and events in their order."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from llmaas_client.wire.sse import Decoder
from llmaas_server.api.translated import Told
from llmaas_server.compat.openai.responses.format import Responses, ResponsesBody
from llmaas_server.compat.openai.responses.items import GivenItem, messages_of
from llmaas_server.seam.values import Delta, Result, Timing, ToolCallPiece, Usage
from support.front import Front

CHAT = "smollm2-135m-instruct-q4_1"
TOLD = Told("req_0123", "some-model", 1_700_000_000)
WEATHER = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
items: TypeAdapter[list[GivenItem]] = TypeAdapter(list[GivenItem])


def body(**fields: Any) -> ResponsesBody:
    return ResponsesBody.model_validate_json(json.dumps({"model": "m", "input": "a", **fields}))


def result(message: dict[str, Any], finish: str = "stop", **more: Any) -> Result:
    said = {"role": "assistant", "content": "", **message}
    return Result({"message": said, "finish_reason": finish, **more}, Usage(3, 1, 2), Timing())


def read(given: Any) -> list[dict[str, Any]]:
    messages = messages_of(None, items.validate_json(json.dumps(given)))
    return [message.model_dump(exclude_none=True) for message in messages]


# --- items in -----------------------------------------------------------------------------------


def test_a_text_with_instructions() -> None:
    messages = messages_of("Be short.", "Hello")
    assert [(one.role, one.content) for one in messages] == [
        ("system", "Be short."),
        ("user", "Hello"),
    ]


def test_what_an_assistant_thought_said_and_called_is_one_message() -> None:
    parts = [{"type": "output_text", "text": "I look ", "annotations": []}]
    parts.append({"type": "output_text", "text": "there."})
    found = read(
        [
            {"role": "developer", "content": "Be short."},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "q"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [],
             "content": [{"type": "reasoning_text", "text": "hm"}], "status": "completed"},
            {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed",
             "content": parts},
            {"type": "function_call", "call_id": "1", "name": "a", "arguments": '{"x": 1}'},
            {"type": "function_call", "call_id": "2", "name": "b", "arguments": ""},
            {"type": "function_call_output", "call_id": "1", "output": "one"},
            {"type": "function_call_output", "call_id": "2",
             "output": [{"type": "input_text", "text": "two"}]},
            {"role": "assistant", "content": "done"},
            {"role": "user", "content": "more", "id": None},
        ]
    )  # fmt: skip
    calls = [
        {"id": "1", "name": "a", "arguments": {"x": 1}},
        {"id": "2", "name": "b", "arguments": {}},
    ]
    assert found == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "q"},
        {
            "role": "assistant",
            "content": "I look there.",
            "reasoning": "hm",
            "tool_calls": calls,
        },
        {"role": "tool", "content": "one", "tool_call_id": "1"},
        {"role": "tool", "content": "two", "tool_call_id": "2"},
        {"role": "assistant", "content": "done"},
        {"role": "user", "content": "more"},
    ]


def test_calls_that_were_answered_one_by_one_are_messages_of_their_own() -> None:
    call = {"type": "function_call", "name": "a", "arguments": "{}"}
    brought = {"type": "function_call_output", "output": "x"}
    found = read([{**kind, "call_id": n} for n in "12" for kind in (call, brought)])
    assert [message["role"] for message in found] == ["assistant", "tool", "assistant", "tool"]


@pytest.mark.parametrize(
    ("asked", "ours"),
    [
        ({"reasoning": {"effort": "none"}}, {"reasoning": "off"}),
        ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json"}}),
        ({"text": {"format": {"type": "text"}}}, {}),
        ({"max_output_tokens": 7, "seed": -1}, {"max_tokens": 7, "seed": 2**63 - 1}),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
        ({"top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"tools": [WEATHER], "tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "function", "name": "weather"}},
            {"tool_choice": {"name": "weather"}},
        ),
    ],
)
def test_options(asked: dict[str, Any], ours: dict[str, Any]) -> None:
    request = Responses().read(body(**asked)).model_dump(exclude_unset=True)
    assert {name: request.get(name) for name in ours} == ours


# --- items out ----------------------------------------------------------------------------------

CALL = {"id": "c1", "name": "weather", "arguments": {"city": "Zürich"}}


def test_all_kinds_of_items() -> None:
    made = result({"content": "Let me see.", "reasoning": "hm", "tool_calls": [CALL]}, "tool_calls")
    written = Responses().write(body(), TOLD, made)
    thought, said, called = written.output
    assert (written.status, written.id) == ("completed", "resp_0123")
    assert [one.type for one in written.output] == ["reasoning", "message", "function_call"]
    assert len({one.id for one in written.output}) == 3
    assert thought.model_dump()["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert said.model_dump()["content"][0]["text"] == "Let me see."
    assert called.model_dump()["arguments"] == '{"city": "Zürich"}'
    assert called.model_dump()["call_id"] == "c1"
    assert written.usage is not None
    assert written.usage.total_tokens == 5


def test_what_was_cut_is_incomplete() -> None:
    cut = {"id": "c1", "name": "weather", "text": '{"ci'}
    written = Responses().write(body(), TOLD, result({}, "length", cut_call=cut))
    (call,) = written.output
    assert (written.status, call.status) == ("incomplete", "incomplete")
    assert call.model_dump()["arguments"] == '{"ci'
    assert written.incomplete_details is not None


def test_nothing_said_is_an_empty_message() -> None:
    (message,) = Responses().write(body(), TOLD, result({})).output
    assert message.model_dump()["content"][0]["text"] == ""


# --- events -------------------------------------------------------------------------------------


def told(*deltas: Delta, end: Result, **options: Any) -> list[dict[str, Any]]:
    script = Responses().script(body(**options), TOLD)
    stream = b"".join([script.start(), *map(script.delta, deltas), script.end(end)])
    events = []
    for event in Decoder().feed(stream):
        events.append(json.loads(event.data))
        assert events[-1]["type"] == event.event
    return events


def test_every_item_has_its_beginning_and_its_end() -> None:
    deltas = [
        Delta(reasoning="h"),
        Delta(reasoning="m"),
        Delta("Let me "),
        Delta("see."),
        Delta(tool_call=ToolCallPiece(0, "c1", "weather")),
        Delta(tool_call=ToolCallPiece(0, arguments='{"city": ')),
        Delta(tool_call=ToolCallPiece(0, arguments='"Zürich"}')),
        Delta(tool_call=ToolCallPiece(1, "c2", "weather")),
        Delta(tool_call=ToolCallPiece(1, arguments="{}")),
    ]
    calls = [CALL, {"id": "c2", "name": "weather", "arguments": {}}]
    message = {"content": "Let me see.", "reasoning": "hm", "tool_calls": calls}
    end = result(message, "tool_calls")
    events = told(*deltas, end=end)
    added, done = "output_item.added", "output_item.done"
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created", "in_progress",
        added, "content_part.added", "reasoning_text.delta", "reasoning_text.delta",
        "reasoning_text.done", "content_part.done", done,
        added, "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", done,
        added, "function_call_arguments.delta", "function_call_arguments.delta",
        "function_call_arguments.done", done,
        added, "function_call_arguments.delta", "function_call_arguments.done", done,
        "completed",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    begun = [event for event in events if event["type"] == f"response.{added}"]
    ended = [event for event in events if event["type"] == f"response.{done}"]
    assert [event["output_index"] for event in begun] == [0, 1, 2, 3]
    assert [event["item"]["id"] for event in begun] == [event["item"]["id"] for event in ended]
    assert [event["item"]["status"] for event in begun] == ["in_progress"] * 4
    last = events[-1]["response"]
    assert last["output"] == [event["item"] for event in ended]
    whole = Responses().write(body(), TOLD, end).model_dump()
    assert last["output"] == whole["output"]
    assert last["usage"] == whole["usage"]


def test_a_cut_stream_ends_incomplete() -> None:
    events = told(Delta("a"), end=result({"content": "a"}, "length"))
    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"]["output"][0]["status"] == "incomplete"


def test_nothing_said_is_told_as_an_empty_message() -> None:
    events = told(end=result({}))
    assert [event["type"] for event in events][2] == "response.output_item.added"
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == ""


def test_over_the_socket(there: Front) -> None:
    asked = {"model": CHAT, "input": "one two", "stream": True, "top_logprobs": 1}
    response = there.http.post("/v1/responses", json=asked)
    assert response.status_code == httpx.codes.OK
    events = [json.loads(event.data) for event in Decoder().feed(response.content)]
    deltas = [event for event in events if event["type"] == "response.output_text.delta"]
    assert [event["delta"] for event in deltas] == ["one ", "two"]
    assert deltas[0]["logprobs"][0]["token"] == "one "
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "one two"
