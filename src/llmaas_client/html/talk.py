"""Answers and conversations as bubbles."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .footer import footer
from .frame import HTML, frame, quiet, tag, text

if TYPE_CHECKING:
    from llmaas_client.wire.chat import ChatResult
    from llmaas_client.wire.documents import Citation
    from llmaas_client.wire.messages import Message, ReplyMessage

_ENDS = {
    "length": "cut: max_tokens or the context ended it",
    "tool_calls": "waits for what its tools bring",
}


def chat_result(result: ChatResult) -> str:
    answers = [
        _bubble(answer.message, citations=(result.citations or ()) if at == 0 else ())
        for at, answer in enumerate(result.answers)
    ]
    reason = _ENDS.get(result.finish_reason, "")
    return frame(*answers, footer(result, reason))


def transcript(messages: Iterable[Message | ReplyMessage], *notes: str) -> str:
    """A conversation so far."""
    return frame(*(_bubble(message) for message in messages), quiet(*notes))


def message(one: Message | ReplyMessage) -> str:
    return frame(_bubble(one))


def growing(said: str, *, note: str = "") -> str:
    """An answer while it comes."""
    return frame(tag("div", text(said), klass="bubble"), quiet(note))


def _bubble(one: Message | ReplyMessage, citations: Iterable[Citation] = ()) -> HTML:
    parts: list[HTML] = []
    if one.reasoning:
        parts.append(
            tag("details", tag("summary", text("reasoning")), text(one.reasoning), klass="q")
        )
    if one.content:
        parts.append(_cited(one.content, list(citations)))
    for call in one.tool_calls or ():
        given = json.dumps(_plain(call.arguments), ensure_ascii=False)
        parts.append(tag("div", tag("code", text(f"{call.name}({given})")), klass="q"))
    role = "" if one.role == "assistant" else f"{one.role}"
    return tag("div", quiet(role), *parts, klass=f"bubble {one.role}")


def _cited(content: str, citations: list[Citation]) -> HTML:
    """The answer, each sentence that rests on something with a mark that shows it."""
    parts: list[HTML] = []
    end = 0
    ordered = sorted(enumerate(citations, 1), key=lambda pair: pair[1].answer_end)
    for number, citation in ordered:
        if citation.answer_end > len(content):
            continue
        parts.append(text(content[end : citation.answer_end]))
        end = max(end, citation.answer_end)
        where = citation.id or f"document {citation.document + 1}"
        title = f"{where}, support {citation.support:.2f}:\n{citation.text}"
        parts.append(tag("sup", text(f"[{number}]"), title=title))
    return tag("span", *parts, text(content[end:]))


def _plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
