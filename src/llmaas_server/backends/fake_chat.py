"""What the fake backend says in a chat: the words of the last message, said back.

ignore_eos          over and over
response_format     the first of some choices; the least that a JSON schema describes
documents           those that share a word with the question are given, see fake_documents
<think>…</think>    what the message has between these marks is what the fake thought
tools               the one that the message names is called, else the first where one must be;
                    a tool's answer is said back in words
n                   each answer begins with another word
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from llmaas_client.wire.chat import ChatRequest, ChoiceFormat, JsonSchemaFormat
from llmaas_client.wire.complete import CompleteRequest
from llmaas_client.wire.messages import Message
from llmaas_client.wire.sampling import Sampled
from llmaas_client.wire.tools import Tool, ToolName
from llmaas_server.errors import Problem, context_overflow
from llmaas_server.seam.values import Delta, ToolCallPiece

from . import fake_documents, fake_json
from .fake_answer import Answer

_MAX_TOKENS = 512
_THOUGHT = re.compile(r"<think>(.*?)</think>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of an answer, of one of its parts."""

    part: str
    text: str


def chat(request: ChatRequest, context: int) -> Answer:
    """Tokens are words between spaces. Raises Problem `context_overflow`."""
    prompt_tokens = sum(len(message.text.split()) for message in request.messages)
    prompt_tokens += fake_documents.words_of(request)
    asked = prompt_tokens + (request.max_tokens or 1)
    if asked > context:
        raise context_overflow(asked, context, "the prompt with its answer")
    most = request.max_tokens or min(context - prompt_tokens, _MAX_TOKENS)
    bodies: list[dict[str, Any]] = []
    streams: list[list[Delta]] = []
    tokens = 0
    for choice in range(request.n):
        whole = _tokens(request, choice, most)
        said = whole[:most]
        tokens += len(said)
        bodies.append(_body(request, choice, said, cut=len(whole) > most))
        streams.append(_deltas(request, choice, said))
    body = bodies[0] if request.n == 1 else {**bodies[0], "choices": bodies}
    body |= fake_documents.about(request, body["message"]["content"])
    longest = max(map(len, streams))
    in_turn = (deltas[i] for i in range(longest) for deltas in streams if i < len(deltas))
    return Answer(prompt_tokens, body, tuple(in_turn), tokens, request.n * most)


def complete(request: CompleteRequest, context: int) -> Answer:
    """What a chat would answer to each of the texts, one after the other."""
    texts = [request.text] if isinstance(request.text, str) else request.text
    shared = request.model_dump(include=set(Sampled.model_fields), exclude_unset=True)
    chats = [
        chat(ChatRequest(messages=[Message(role="user", content=text)], **shared), context)
        for text in texts
    ]
    bodies = [body for one in chats for body in one.body.get("choices") or [one.body]]
    deltas = [
        msgspec.structs.replace(delta, choice=request.n * number + delta.choice)
        for number, one in enumerate(chats)
        for delta in one.deltas
        if delta.text
    ]
    return Answer(
        prompt_tokens=sum(one.prompt_tokens for one in chats),
        body={"completions": [_completion(body) for body in bodies]},
        deltas=tuple(deltas),
        completion_tokens=sum(one.completion_tokens for one in chats),
        max_completion_tokens=sum(one.max_completion_tokens for one in chats),
    )


def _completion(body: dict[str, Any]) -> dict[str, Any]:
    completion = {"text": body["message"]["content"], "finish_reason": body["finish_reason"]}
    return completion | ({"logprobs": body["logprobs"]} if "logprobs" in body else {})


def _tokens(request: ChatRequest, choice: int, most: int) -> list[_Token]:
    """Of the whole answer, before max_tokens cut it."""
    message = request.messages[-1]
    thought = "" if request.reasoning == "off" else " ".join(_THOUGHT.findall(message.text))
    tokens = [_Token("reasoning", word) for word in _words(thought)]
    tool = _called(request)
    if tool is not None:
        return tokens + [_Token("tool_call", piece) for piece in _call(tool, message.text)]
    words = _said(request)
    turned = words[choice % len(words) :] + words[: choice % len(words)]
    text = " ".join(turned * (1 + most // len(turned)) if request.ignore_eos else turned)
    return tokens + [_Token("content", word) for word in _words(_before_stop(text, request.stop))]


def _said(request: ChatRequest) -> list[str]:
    wanted = request.response_format
    if wanted is None:
        text = request.messages[-1].text
        return _THOUGHT.sub("", text).split() or ["(nothing)"]
    if isinstance(wanted, ChoiceFormat):
        return [wanted.choices[0]]
    if isinstance(wanted, JsonSchemaFormat):
        return [json.dumps(fake_json.least(wanted.json_schema, wanted.json_schema))]
    raise Problem(
        "unsupported_parameter",
        f"the fake backend makes no answer in the format {wanted.type}",
        hint="Start the server with the setting backend = worker.",
        param="response_format",
    )


def _called(request: ChatRequest) -> Tool | None:
    tools = {tool.name: tool for tool in request.tools or ()}
    if not tools or request.tool_choice == "none":
        return None
    if isinstance(request.tool_choice, ToolName):
        return tools[request.tool_choice.name]
    message = request.messages[-1]
    named = [tool for name, tool in tools.items() if name in message.text]
    if named and message.role == "user":
        return named[0]
    return next(iter(tools.values())) if request.tool_choice == "required" else None


def _call(tool: Tool, text: str) -> list[str]:
    """The tool's name, and then its arguments in pieces."""
    properties: dict[str, Any] = tool.parameters.get("properties", {})
    words = text.split() or [""]
    arguments = {name: _value(schema, words[-1]) for name, schema in properties.items()}
    return [tool.name, *_words(json.dumps(arguments, ensure_ascii=False))]


def _value(schema: Any, word: str) -> Any:
    """Something of the schema's type; of strings the word."""
    if not isinstance(schema, dict):
        return word
    if "enum" in schema:
        return schema["enum"][0]
    made: dict[str, Any] = {
        "integer": schema.get("minimum", 1),
        "number": schema.get("minimum", 1.5),
        "boolean": True,
        "array": [],
        "object": {},
        "null": None,
    }
    return made.get(str(schema.get("type")), word)


def _body(request: ChatRequest, choice: int, said: list[_Token], *, cut: bool) -> dict[str, Any]:
    text = {part: "".join(token.text for token in said if token.part == part) for part in _PARTS}
    message: dict[str, Any] = {"role": "assistant", "content": text["content"]}
    if text["reasoning"] and request.reasoning == "include":
        message["reasoning"] = text["reasoning"]
    body: dict[str, Any] = {"message": message, "finish_reason": "length" if cut else "stop"}
    call = [token.text for token in said if token.part == "tool_call"]
    if call and cut:
        body["cut_call"] = {"id": _id(choice), "name": call[0], "text": "".join(call[1:])}
    elif call:
        arguments = json.loads("".join(call[1:]))
        message["tool_calls"] = [{"id": _id(choice), "name": call[0], "arguments": arguments}]
        body["finish_reason"] = "tool_calls"
    if request.logprobs:
        body["logprobs"] = [_logprob(token, request) for token in said if _shown(token, request)]
    return body


def _deltas(request: ChatRequest, choice: int, said: list[_Token]) -> list[Delta]:
    deltas: list[Delta] = []
    named = False
    for token in said:
        if not _shown(token, request):
            continue
        entries = [_logprob(token, request)] if request.logprobs else None
        if token.part == "content":
            deltas.append(Delta(token.text, entries, choice))
        elif token.part == "reasoning":
            deltas.append(Delta("", entries, choice, reasoning=token.text))
        elif named:
            piece = ToolCallPiece(0, arguments=token.text)
            deltas.append(Delta("", entries, choice, tool_call=piece))
        else:
            named = True
            piece = ToolCallPiece(0, _id(choice), token.text)
            deltas.append(Delta("", entries, choice, tool_call=piece))
    return deltas


_PARTS = ("content", "reasoning", "tool_call")


def _shown(token: _Token, request: ChatRequest) -> bool:
    return token.part != "reasoning" or request.reasoning == "include"


def _id(choice: int) -> str:
    return f"call-{choice}"


def _words(text: str) -> list[str]:
    return re.findall(r"\S+ ?|\s", text)


def _logprob(token: _Token, request: ChatRequest) -> dict[str, Any]:
    ranks = range(request.top_logprobs or 0)
    choices = [{"token": f"<{rank}>", "logprob": -1.0 - rank} for rank in ranks]
    entry = {"token": token.text, "logprob": -0.5, "top": choices}
    return entry if token.part == "content" else {**entry, "part": token.part}


def _before_stop(text: str, stop: str | list[str] | None) -> str:
    stops = [stop] if isinstance(stop, str) else stop or []
    return text[: min((at for at in map(text.find, stops) if at >= 0), default=len(text))]
