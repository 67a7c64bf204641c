"""Their items as our messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Tag, model_validator

from llmaas_client.wire.base import Characters, Request
from llmaas_client.wire.messages import Message
from llmaas_client.wire.tools import PastCall
from llmaas_server.compat.openai.fields import refused
from llmaas_server.compat.openai.messages import ROLES, past_call

READABLE = (
    "input_text",
    "input_json",
    "output_text",
    "text",
    "refusal",
    "summary_text",
    "reasoning_text",
)


class Item(Request):
    """Null is the same as absent."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}


class ItemPart(Item):
    """A piece of an item's content: text, or JSON, which is read as text."""

    type: str
    text: Characters = ""
    refusal: Characters = ""
    data: dict[str, Any] | list[Any] | None = None
    prompt_cache_breakpoint: Any = None
    annotations: list[Any] = []
    logprobs: list[Any] = []

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("type") not in READABLE:
            raise refused("type", f"parts of type {given.get('type')!r} cannot be read: text can")
        return given

    @property
    def told(self) -> str:
        if self.data is not None:
            return json.dumps(self.data, ensure_ascii=False)
        return self.text or self.refusal


class MessageItem(Item):
    type: Literal["message"] = "message"
    role: Literal["user", "system", "developer", "assistant"]
    content: Characters | list[ItemPart]
    id: str = ""
    status: str = ""
    phase: str = ""


class CallItem(Item):
    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: Characters
    id: str = ""
    status: str = ""


class CallOutputItem(Item):
    type: Literal["function_call_output"]
    call_id: str
    output: Characters | list[ItemPart]
    id: str = ""
    status: str = ""


class ReasoningItem(Item):
    type: Literal["reasoning"]
    summary: list[ItemPart] = []
    content: list[ItemPart] = []
    id: str = ""
    status: str = ""


READ = ("message", "function_call", "function_call_output", "reasoning")


def _kind(given: Any) -> Any:
    return given.get("type", "message") if isinstance(given, dict) else given.type


def _check_kind(given: Any) -> Any:
    """What cannot be read here is refused by the name of its type."""
    kind = _kind(given) if isinstance(given, dict | Item) else type(given).__name__
    if kind not in READ:
        why = "nothing is kept between requests" if kind == "item_reference" else "is not read here"
        raise refused("type", f"items of type {kind!r}: {why}")
    return given


GivenItem = Annotated[
    Annotated[MessageItem, Tag("message")]
    | Annotated[CallItem, Tag("function_call")]
    | Annotated[CallOutputItem, Tag("function_call_output")]
    | Annotated[ReasoningItem, Tag("reasoning")],
    Discriminator(_kind),
    BeforeValidator(_check_kind),
]


def messages_of(instructions: str | None, given: str | Sequence[GivenItem]) -> list[Message]:
    """Raises Problem, ValidationError where they are no conversation."""
    messages = [] if instructions is None else [Message(role="system", content=instructions)]
    if isinstance(given, str):
        return [*messages, Message(role="user", content=given)]
    turns = _Turns(messages)
    for number, item in enumerate(given):
        turns.add(item, f"input.{number}")
    return turns.all()


class _Turns:
    """Collects what an assistant thought, said and called into one message of it."""

    def __init__(self, messages: list[Message]) -> None:
        self._messages = messages
        self._reasoning: list[str] = []
        self._content: str | None = None
        self._calls: list[PastCall] = []

    def add(self, item: GivenItem, place: str) -> None:
        match item:
            case ReasoningItem():
                self._close()
                self._reasoning = [part.told for part in item.content or item.summary]
            case MessageItem(role="assistant"):
                if self._content is not None or self._calls:
                    self._close()
                self._content = text_of(item.content)
            case CallItem():
                self._calls.append(past_call(item.call_id, item.name, item.arguments, place))
            case MessageItem():
                self._put({"role": ROLES[item.role], "content": text_of(item.content)})
            case CallOutputItem():
                self._put(
                    {
                        "role": "tool",
                        "content": text_of(item.output),
                        "tool_call_id": item.call_id,
                    }
                )

    def all(self) -> list[Message]:
        self._close()
        return self._messages

    def _put(self, fields: dict[str, Any]) -> None:
        self._close()
        self._messages.append(Message.model_validate(fields))

    def _close(self) -> None:
        """What was thought of nothing that was said is left out."""
        if self._content is not None or self._calls:
            fields: dict[str, Any] = {"role": "assistant"}
            if self._content is not None:
                fields["content"] = self._content
            if self._reasoning:
                fields["reasoning"] = "".join(self._reasoning)
            if self._calls:
                fields["tool_calls"] = self._calls
            self._messages.append(Message.model_validate(fields))
        self._reasoning, self._content, self._calls = [], None, []


def text_of(content: str | Sequence[ItemPart]) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.told for part in content)
