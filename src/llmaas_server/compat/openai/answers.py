"""Our answers in their shapes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llmaas_server.seam.values import Result, ToolCallPiece

from .shapes import (
    CachedTokens,
    CalledFunction,
    ChatChoice,
    ChatLogprobs,
    ChatTokenLogprob,
    CompletionTokens,
    CompletionUsage,
    FunctionToolCall,
    Reply,
    TopLogprob,
)

Answer = Mapping[str, Any]
"""One of the answers of a chat, as the seam has it."""


def of(result: Result) -> Sequence[Answer]:
    """All answers of a chat, however many were asked for."""
    body = result.body
    found: Sequence[Answer] = body.get("choices") or [body]
    return found


def choice(index: int, answer: Answer) -> ChatChoice:
    message = answer["message"]
    calls = [_call(one) for one in message.get("tool_calls") or ()]
    content: str = message["content"]
    told = answer.get("logprobs")
    return ChatChoice(
        index=index,
        message=Reply(
            content=None if calls and not content else content,
            tool_calls=calls or None,
            reasoning_content=message.get("reasoning"),
        ),
        logprobs=None if told is None else logprobs(told),
        finish_reason=answer["finish_reason"],
    )


def usage(result: Result) -> CompletionUsage:
    used = result.usage
    return CompletionUsage(
        prompt_tokens=used.prompt_tokens,
        completion_tokens=used.completion_tokens,
        total_tokens=used.prompt_tokens + used.completion_tokens,
        prompt_tokens_details=CachedTokens(cached_tokens=used.cached_tokens),
        completion_tokens_details=CompletionTokens(reasoning_tokens=reasoning_tokens(result)),
    )


def reasoning_tokens(result: Result) -> int | None:
    """None where there are some: they are not counted by themselves."""
    if "message" not in result.body:
        return 0
    return None if any(answer["message"].get("reasoning") for answer in of(result)) else 0


def logprobs(tokens: Iterable[Mapping[str, Any]]) -> ChatLogprobs:
    """Of the tokens of the text; those of reasoning and calls have no place there."""
    return ChatLogprobs(
        content=[
            ChatTokenLogprob(
                **_token(one).model_dump(), top_logprobs=[_token(top) for top in one["top"]]
            )
            for one in tokens
            if one.get("part", "content") == "content"
        ]
    )


def call_piece(piece: ToolCallPiece) -> dict[str, Any]:
    """The id and the name come once, with the first piece of a call."""
    said: dict[str, Any] = {"index": piece.index}
    function: dict[str, Any] = {"arguments": piece.arguments}
    if piece.id is not None:
        said |= {"id": piece.id, "type": "function"}
        function = {"name": piece.name, **function}
    return {**said, "function": function}


def _call(call: Mapping[str, Any]) -> FunctionToolCall:
    arguments = json.dumps(call["arguments"], ensure_ascii=False)
    return FunctionToolCall(
        id=call["id"], function=CalledFunction(name=call["name"], arguments=arguments)
    )


def _token(one: Mapping[str, Any]) -> TopLogprob:
    text: str = one["token"]
    # What is a part of a character has no text of its own: its bytes are not known here.
    content = None if "\ufffd" in text else list(text.encode())
    return TopLogprob(token=text, logprob=one["logprob"], bytes=content)
