"""What streams of chats tell beside text: reasoning, calls of tools, several answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from llmaas_client import AsyncClient, Client, Delta, errors
from support import answers
from support.clients import KINDS, Kind
from support.http_server import Exchange, serving

DELTAS: list[dict[str, Any]] = [
    {"text": "", "reasoning": "Hm."},
    {"text": "Let me "},
    {"text": "Other", "choice": 1},
    {"text": "see."},
    {"text": "", "tool_call": {"index": 0, "id": "abc", "name": "look"}},
    {"text": "", "tool_call": {"index": 0, "arguments": '{"at": '}},
    {"text": "", "tool_call": {"index": 0, "arguments": '"x"}'}},
]
CALL = {"id": "abc", "name": "look", "arguments": {"at": "x"}}
MESSAGE = {"role": "assistant", "content": "Let me see.", "reasoning": "Hm.", "tool_calls": [CALL]}
FIRST = {"message": MESSAGE, "finish_reason": "tool_calls"}
OTHER = {"message": {"role": "assistant", "content": "Other"}, "finish_reason": "stop"}


def speak(exchange: Exchange, *, whole: bool = True) -> None:
    exchange.start_stream()
    exchange.event("start", answers.START)
    for delta in DELTAS:
        exchange.event("delta", delta)
    if whole:
        exchange.event("done", answers.HEAD | FIRST | {"choices": [FIRST, OTHER]})
    exchange.end_stream()


def events(kind: Kind, url: str) -> tuple[list[Delta], Any]:
    if kind == "sync":
        with Client(url) as client, client.chat.stream("Hello", n=2) as live:
            told = [event for event in live.events() if isinstance(event, Delta)]
            return told, live

    async def main() -> tuple[list[Delta], Any]:
        async with AsyncClient(url) as client, client.chat.stream("Hello", n=2) as live:
            return [event async for event in live.events() if isinstance(event, Delta)], live

    return asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_is_told_and_is_in_the_result(kind: Kind) -> None:
    with serving(speak) as server:
        told, live = events(kind, server.url)
    assert "".join(delta.reasoning for delta in told) == live.result.message.reasoning == "Hm."
    calls = [delta.tool_call for delta in told if delta.tool_call is not None]
    assert (calls[0].id, calls[0].name) == ("abc", "look")
    (call,) = live.result.message.tool_calls
    assert json.loads("".join(piece.arguments for piece in calls)) == call.arguments == {"at": "x"}
    assert live.result.finish_reason == "tool_calls"
    assert [answer.text for answer in live.result.answers] == ["Let me see.", "Other"]


def test_pieces_of_text_are_those_of_the_first_answer() -> None:
    with serving(speak) as server, Client(server.url) as client:
        with client.chat.stream("Hello", n=2) as live:
            assert list(live) == ["Let me ", "see."]
        assert live.text == live.result.text


def test_a_stream_that_was_cut_in_a_call_is_no_answer() -> None:
    with (
        serving(lambda exchange: speak(exchange, whole=False)) as server,
        Client(server.url) as client,
        client.chat.stream("Hello") as live,
    ):
        with pytest.raises(errors.StreamInterrupted) as caught:
            live.finish()
        with pytest.raises(RuntimeError):
            _ = live.result
    assert caught.value.partial == "Let me see."


def test_an_answer_goes_back_among_the_messages_as_it_is() -> None:
    asked: list[Any] = []

    def serve(exchange: Exchange) -> None:
        asked.append(exchange.json)
        exchange.answer(answers.HEAD | FIRST)

    tool = {"role": "tool", "tool_call_id": "abc", "content": "sun"}
    with serving(serve) as server, Client(server.url) as client:
        user = {"role": "user", "content": "Look"}
        reply = client.chat([user], tools=[{"name": "look"}])
        client.chat([user, reply.message, tool], tools=[{"name": "look"}])
    assert asked[1]["messages"] == [user, MESSAGE, tool]
