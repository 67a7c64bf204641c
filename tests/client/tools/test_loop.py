"""The loop: the model calls tools, the client carries the calls out, until there is an answer."""

from __future__ import annotations

import datetime
import json
import threading
from typing import Any

import pytest
from pydantic import BaseModel

from llmaas_client import Client, FunctionTool, Tool, ToolCall, errors
from support import answers
from support.clients import KINDS, Kind
from support.talking import calls, talking

DONE = answers.chat("It is on its way.")


def get_status(order: int, day: datetime.date | None = None) -> dict[str, Any]:
    """Where an order is."""
    return {"order": order, "day": day, "state": "sent"}


def fail(why: str) -> str:
    """Never works."""
    raise ValueError(why)


def told(script: Any, number: int = 1) -> list[str]:
    """What the model was told by tools in one request."""
    return [m["content"] for m in script.chats()[number]["messages"] if m["role"] == "tool"]


@pytest.mark.parametrize("kind", KINDS)
def test_calls_are_carried_out(kind: Kind) -> None:
    first = calls(("get_status", {"order": 7, "day": "2024-05-01"}), text="Let me see.")
    with talking(kind, first, DONE) as (either, script):
        reply = either.get(
            either.client.chat.run("Where is 7?", tools=[get_status], system="Help.")
        )
    assert reply.text == reply.value == "It is on its way."
    (step,) = reply.steps
    (run,) = step.runs
    assert (run.call.name, run.outcome) == ("get_status", "returned")
    assert run.arguments == {"order": 7, "day": datetime.date(2024, 5, 1)}
    assert run.value["state"] == "sent"
    assert reply.total_usage.prompt_tokens == 10
    first_request, second = script.chats()
    assert first_request["tools"] == [
        {
            "name": "get_status",
            "description": "Where an order is.",
            "parameters": {
                "type": "object",
                "properties": {
                    "order": {"type": "integer", "minimum": 1 - 2**53, "maximum": 2**53 - 1},
                    "day": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
                },
                "required": ["order"],
                "additionalProperties": False,
            },
        }
    ]
    assert [message["role"] for message in second["messages"]] == [
        "system", "user", "assistant", "tool",
    ]  # fmt: skip
    assert second["messages"][2]["tool_calls"][0]["arguments"] == {"order": 7, "day": "2024-05-01"}
    assert second["messages"][3]["tool_call_id"] == "call_0"
    assert json.loads(told(script)[0]) == {"order": 7, "day": "2024-05-01", "state": "sent"}


@pytest.mark.parametrize("kind", KINDS)
def test_async_tools(kind: Kind) -> None:
    async def look(word: str) -> str:
        return word.upper()

    with talking(kind, calls(("look", {"word": "a"})), DONE) as (either, script):
        if kind == "sync":
            with pytest.raises(errors.ConfigurationError, match="AsyncClient"):
                either.client.chat.run("x", tools=[look])
            assert script.requests == []
            return
        reply = either.get(either.client.chat.run("x", tools=[look]))
    assert reply.steps[0].runs[0].value == "A"


def test_plain_functions_do_not_hold_up_the_loop() -> None:
    names: list[str] = []

    def note() -> None:
        names.append(threading.current_thread().name)

    with talking("async", calls(("note", {})), DONE) as (either, script):
        either.get(either.client.chat.run("x", tools=[note]))
    assert names != [threading.current_thread().name]
    assert told(script) == ["null"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_limit_of_steps(kind: Kind) -> None:
    with talking(kind, calls(("get_status", {"order": 7}))) as (either, script):
        with pytest.raises(errors.StepLimitReached, match="after 3 steps") as caught:
            either.get(either.client.chat.run("x", tools=[get_status], max_steps=3))
        assert len(script.requests) == 3
        assert len(caught.value.steps) == 2
        assert [m.role for m in caught.value.messages] == ["user"] + ["assistant", "tool"] * 2
        talk = either.client.chat.session(tools=[get_status], max_steps=1)
        with pytest.raises(errors.StepLimitReached):
            either.get(talk.send("x"))
        assert len(talk) == 0


@pytest.mark.parametrize(
    ("decision", "outcome", "arguments"),
    [
        (True, "returned", {"order": 7, "day": None}),
        (False, "refused", None),
        ({"order": 8}, "returned", {"order": 8, "day": None}),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_approval(kind: Kind, decision: Any, outcome: str, arguments: Any) -> None:
    asked: list[ToolCall] = []

    def approve(call: ToolCall) -> Any:
        asked.append(call)
        return decision

    async def approve_async(call: ToolCall) -> Any:
        return approve(call)

    with talking(kind, calls(("get_status", {"order": 7})), DONE) as (either, script):
        hook = approve if kind == "sync" else approve_async
        reply = either.get(either.client.chat.run("x", tools=[get_status], approve=hook))
    (run,) = reply.steps[0].runs
    assert (run.outcome, run.arguments) == (outcome, arguments)
    assert (asked[0].name, asked[0].arguments) == ("get_status", {"order": 7})
    if outcome == "refused":
        assert told(script) == ["The user did not allow this call."]


@pytest.mark.parametrize("decision", [None, 1, "yes", {"order": "many"}])
def test_an_approval_that_makes_no_sense(decision: Any) -> None:
    with (
        talking("sync", calls(("get_status", {"order": 7})), DONE) as (either, _),
        pytest.raises(errors.ConfigurationError, match="approve gave"),
    ):
        either.client.chat.run("x", tools=[get_status], approve=lambda call: decision)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_tool_raises_is_told_or_raised(kind: Kind) -> None:
    with talking(kind, calls(("fail", {"why": "no"})), DONE) as (either, script):
        reply = either.get(either.client.chat.run("x", tools=[fail]))
    (run,) = reply.steps[0].runs
    assert (run.outcome, type(run.error)) == ("failed", ValueError)
    assert told(script) == ["The tool failed: ValueError: no"]
    with talking(kind, calls(("fail", {"why": "no"})), DONE) as (either, script):
        talk = either.client.chat.session(tools=[fail], on_tool_error="raise")
        with pytest.raises(ValueError, match="no") as caught:
            either.get(talk.send("x"))
        assert caught.value.__notes__ == ["in the tool fail, which the model called"]
        assert len(talk) == 0


def test_an_interrupt_ends_the_loop() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with talking("sync", calls(("stop", {})), DONE) as (either, _):
        talk = either.client.chat.session(tools=[stop])
        with pytest.raises(KeyboardInterrupt):
            talk.send("x")
        assert len(talk) == 0
        assert talk.send("y", tools=None).text == DONE["message"]["content"]


@pytest.mark.parametrize(
    ("call", "outcome", "says"),
    [
        (("get_status", {"order": "many"}), "invalid", "The arguments are wrong: order: "),
        (("get_status", {}), "invalid", "The arguments are wrong: order: "),
        (("get_status", {"order": 1, "x": 2}), "invalid", "The arguments are wrong: x: "),
        (("get_stats", {}), "unknown", "There is no tool get_stats; there are: get_status."),
    ],
)
def test_calls_that_cannot_be(call: Any, outcome: str, says: str) -> None:
    with talking("sync", calls(call), DONE) as (either, script):
        reply = either.client.chat.run("x", tools=[get_status])
    assert reply.steps[0].runs[0].outcome == outcome
    assert told(script)[0].startswith(says)


def test_several_calls_in_one_answer() -> None:
    wanted = calls(("get_status", {"order": 1}), ("fail", {"why": "no"}))
    with talking("sync", wanted, DONE) as (either, script):
        reply = either.client.chat.run("x", tools=[get_status, fail])
    assert [run.outcome for run in reply.steps[0].runs] == ["returned", "failed"]
    assert len(told(script)) == 2


def test_long_results_are_cut_and_say_so() -> None:
    def read() -> str:
        return "x" * 50_000

    def hold() -> object:
        return object()

    with talking("sync", calls(("read", {}), ("hold", {})), DONE) as (either, script):
        reply = either.client.chat.run("x", tools=[read, hold])
    long, odd = told(script)
    assert len(long) < 20_100
    assert long.endswith("… (cut here: 50000 characters in all)")
    assert reply.steps[0].runs[0].value == "x" * 50_000
    assert odd.startswith("The tool failed: TypeError: the result cannot be written as JSON")


def test_a_call_that_had_to_be_is_asked_for_once() -> None:
    with talking("sync", calls(("get_status", {"order": 1})), DONE) as (either, script):
        either.client.chat.run("x", tools=[get_status], tool_choice="required")
    assert [body.get("tool_choice") for body in script.chats()] == ["required", None]


class Verdict(BaseModel):
    late: bool


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_at_the_end(kind: Kind) -> None:
    with talking(kind, calls(("get_status", {"order": 1})), answers.chat('{"late": true}')) as (
        either,
        _,
    ):
        reply = either.get(either.client.chat.run("x", tools=[get_status], returns=Verdict))
    assert reply.value == Verdict(late=True)


@pytest.mark.parametrize("kind", KINDS)
def test_sessions_remember_calls(kind: Kind) -> None:
    with talking(kind, calls(("get_status", {"order": 1})), DONE) as (either, script):
        talk = either.client.chat.session(tools=[get_status])
        _, reply = either.streamed(talk.stream("Where is 1?"))
        assert len(reply.steps) == 1
        either.get(talk.send("Thanks."))
    roles = [message["role"] for message in script.chats()[-1]["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert len(talk) == 2
    assert len(talk.undo()) == 2
    assert len(talk.undo()) == 4


def test_plain_chat_takes_functions_and_calls_nothing() -> None:
    tool = Tool(name="raw", parameters={"type": "object", "properties": {}})
    with talking("sync", calls(("raw", {}))) as (either, script):
        reply = either.client.chat("x", tools=[fail, tool, {"name": "mapped"}])
    assert [one["name"] for one in script.chats()[0]["tools"]] == ["fail", "raw", "mapped"]
    assert reply.message.tool_calls[0].name == "raw"


def test_wrong_arguments() -> None:
    with Client("http://127.0.0.1:9") as client:
        with pytest.raises(errors.InvalidRequest, match="there are none"):
            client.chat.run("x")
        with pytest.raises(errors.ConfigurationError, match="no function"):
            client.chat.run("x", tools=[3])  # type: ignore[list-item]
        with pytest.raises(errors.ConfigurationError, match="one name"):
            client.chat.run("x", tools=[fail, FunctionTool(get_status, name="fail")])
        with pytest.raises(errors.ConfigurationError, match="max_steps is 0"):
            client.chat.run("x", tools=[fail], max_steps=0)
        with pytest.raises(errors.ConfigurationError, match="on_tool_error"):
            client.chat.run("x", tools=[fail], on_tool_error="ignore")  # type: ignore[call-overload]
        with pytest.raises(errors.EmptyText):
            client.chat.run(" ", tools=[fail])
