"""Our answer as their items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmaas_server.api.translated import Told
from llmaas_server.compat.openai import answers
from llmaas_server.compat.openai.shapes import ChatTokenLogprob
from llmaas_server.seam.values import Result

from .shapes import (
    InputTokensDetails,
    OutputCall,
    OutputItem,
    OutputMessage,
    OutputReasoning,
    OutputText,
    OutputTokensDetails,
    ReasoningText,
    ResponseUsage,
    Status,
)


class Names:
    """The ids of the items of one response."""

    def __init__(self, told: Told) -> None:
        self._suffix = told.id.removeprefix("req_")

    @property
    def response(self) -> str:
        return f"resp_{self._suffix}"

    def item(self, kind: str, position: int) -> str:
        return f"{kind}_{self._suffix}{position:02x}"


def status_of(result: Result) -> Status:
    return "incomplete" if result.body["finish_reason"] == "length" else "completed"


def output_of(names: Names, result: Result) -> list[OutputItem]:
    """What was thought, said, called; what was cut is marked so."""
    body = result.body
    message: Mapping[str, Any] = body["message"]
    calls: list[tuple[Mapping[str, Any], str]] = [
        (call, json.dumps(call["arguments"], ensure_ascii=False))
        for call in message.get("tool_calls") or ()
    ]
    cut = body.get("cut_call")
    if cut is not None:
        calls.append((cut, cut["text"]))
    output: list[OutputItem] = []
    if message.get("reasoning"):
        output.append(reasoning_item(names.item("rs", 0), message["reasoning"], "completed"))
    if message["content"] or not calls:
        told = body.get("logprobs")
        logprobs = None if told is None else answers.logprobs(told).content
        name = names.item("msg", len(output))
        output.append(message_item(name, message["content"], logprobs or [], status_of(result)))
    for call, arguments in calls:
        name = names.item("fc", len(output))
        status: Status = "incomplete" if call is cut else "completed"
        output.append(call_item(name, call["id"], call["name"], arguments, status))
    return output


def reasoning_item(id: str, text: str, status: Status) -> OutputReasoning:
    return OutputReasoning(id=id, content=[ReasoningText(text=text)], status=status)


def message_item(
    id: str, text: str, logprobs: list[ChatTokenLogprob], status: Status
) -> OutputMessage:
    return OutputMessage(id=id, status=status, content=[OutputText(text=text, logprobs=logprobs)])


def call_item(id: str, call_id: str, name: str, arguments: str, status: Status) -> OutputCall:
    return OutputCall(id=id, call_id=call_id, name=name, arguments=arguments, status=status)


def usage_of(result: Result) -> ResponseUsage:
    used = result.usage
    return ResponseUsage(
        input_tokens=used.prompt_tokens,
        input_tokens_details=InputTokensDetails(cached_tokens=used.cached_tokens),
        output_tokens=used.completion_tokens,
        output_tokens_details=OutputTokensDetails(
            reasoning_tokens=answers.reasoning_tokens(result)
        ),
        total_tokens=used.prompt_tokens + used.completion_tokens,
    )
