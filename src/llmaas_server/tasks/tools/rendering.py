"""Messages and tools as chat templates expect them. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmaas_client.wire.messages import Message
from llmaas_client.wire.tools import PastCall, Tool

from .formats import FALLBACK

_ID_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 9
"""Some templates take ids of nine letters and digits alone."""

Turn = dict[str, Any]

# The words that most models with tools have seen in training.
_TOOLS = """You are a function calling AI model. You are provided with function signatures within \
<tools></tools> XML tags. You may call one function to assist with the user query. Don't make \
assumptions about what values to plug into functions. If no function helps, answer in words. Here \
are the available tools:
<tools>
{tools}
</tools>
For each function call return a json object with function name and arguments within \
<tool_call></tool_call> XML tags as follows:
<tool_call>
{{"name": "<function-name>", "arguments": <args-json-object>}}
</tool_call>
Take the values of arguments from the user query."""

_ANSWER = "Answer my question with this, in words."


def call_id(seed: str) -> str:
    """Nine letters and digits, the same for the same seed."""
    number = int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=16).digest())
    letters: list[str] = []
    for _ in range(_ID_LENGTH):
        number, digit = divmod(number, len(_ID_LETTERS))
        letters.append(_ID_LETTERS[digit])
    return "".join(letters)


def native_tools(tools: Sequence[Tool]) -> list[Turn]:
    return [{"type": "function", "function": tool.model_dump()} for tool in tools]


def native_messages(messages: Sequence[Message], *, reasoning: bool) -> list[Turn]:
    """For templates that know tools; `reasoning`: whether they want to see what was thought."""
    turns: list[Turn] = []
    names: dict[str, str] = {}
    for message in messages:
        turn = _turn(message, names, reasoning)
        if message.tool_calls:
            turn["tool_calls"] = [_native_call(call) for call in message.tool_calls]
        if message.tool_call_id is not None:
            turn["tool_call_id"] = _short(message.tool_call_id)
            turn["name"] = names[message.tool_call_id]
        turns.append(turn)
    return turns


def plain_messages(messages: Sequence[Message], *, reasoning: bool) -> list[Turn]:
    """For templates that know no tools: calls are what the assistant said, and what they brought
    is said by the user, in one turn with what the user says next."""
    turns: list[Turn] = []
    names: dict[str, str] = {}
    brought = False  # whether the last turn is of tools
    for message in messages:
        turn = _turn(message, names, reasoning)
        if message.tool_calls:
            written = _written(message.tool_calls)
            turn["content"] = f"{message.text}\n{written}" if message.text else written
        if message.tool_call_id is not None:
            turn["role"] = "user"
            turn["content"] = f"{names[message.tool_call_id]} returned: {message.text}"
        if brought and turn["role"] == "user":
            turns[-1]["content"] += f"\n\n{turn['content']}"
        else:
            turns.append(turn)
        brought = message.role == "tool"
    if brought:  # small models call again and again where nobody asks for words
        turns[-1]["content"] += f"\n{_ANSWER}"
    return turns


def _turn(message: Message, names: dict[str, str], reasoning: bool) -> Turn:
    """What messages of all roles have; notes in `names` which tool each call is of."""
    names.update({call.id: call.name for call in message.tool_calls or ()})
    turn: Turn = {"role": message.role, "content": message.text}
    if reasoning and message.reasoning:
        turn["reasoning_content"] = message.reasoning
    return turn


def with_tools(turns: Sequence[Turn], tools: Sequence[Tool]) -> Iterator[list[Turn]]:
    """Ways to tell a model of tools in words, the best first: the system's, then the user's (not
    every template takes a system message)."""
    described = "\n".join(json.dumps(tool.model_dump(), ensure_ascii=False) for tool in tools)
    words = _TOOLS.format(tools=described)
    if turns[0]["role"] == "system":
        first = {**turns[0], "content": f"{turns[0]['content']}\n\n{words}".lstrip()}
        yield [first, *turns[1:]]
        return
    yield [{"role": "system", "content": words}, *turns]
    first = {**turns[0], "content": f"{words}\n\n{turns[0]['content']}"}
    yield [first, *turns[1:]]


def _native_call(call: PastCall) -> Mapping[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": _short(call.id), "type": "function", "function": function}


def _short(id: str) -> str:
    return id if len(id) == _ID_LENGTH and id.isascii() and id.isalnum() else call_id(id)


def _written(calls: Sequence[PastCall]) -> str:
    """Calls as the fallback writes them."""
    form = FALLBACK
    return "\n".join(
        f"{form.opens}{form.head}{call.name}{form.middle}"
        f"{json.dumps(call.arguments, ensure_ascii=False)}{form.tail}{form.closes}"
        for call in calls
    )
