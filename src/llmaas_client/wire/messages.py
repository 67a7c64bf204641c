"""The messages of a conversation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from .base import Characters, Request, WireModel, invalid
from .tools import MAX_TOOLS, CallId, Name, PastCall, ToolCall

Role = Literal["system", "user", "assistant", "tool"]


class Message(Request):
    """One turn of a conversation.

    `assistant`: what the model said, thought and called; `tool`: what a call of it brought.
    """

    role: Role
    content: Characters | None = Field(
        default=None, description="May be absent or null where an assistant called tools."
    )
    reasoning: Characters | None = Field(
        default=None, description="Of an assistant; told again where the model's template wants it."
    )
    tool_calls: Annotated[list[PastCall], Field(max_length=MAX_TOOLS)] | None = Field(
        default=None, description="Of an assistant."
    )
    tool_call_id: CallId | None = Field(
        default=None, description="Of a tool: the call that this answers."
    )
    name: Name | None = Field(default=None, description="Of a tool: its name.")

    @model_validator(mode="after")
    def _fits_its_role(self) -> Message:
        for field, role in _ROLE_OF.items():
            if getattr(self, field) is not None and self.role != role:
                raise invalid(f"is for messages of role {role!r}", field)
        if self.role == "tool" and self.tool_call_id is None:
            raise invalid(
                "is missing: the id of the call that this message answers", "tool_call_id"
            )
        if self.content is None and not self.tool_calls:
            raise invalid("is missing", "content")
        if self.role == "user" and not (self.content or "").strip():
            raise PydanticCustomError("empty_text", "a user message is empty", {"param": "content"})
        return self

    @property
    def text(self) -> str:
        return self.content or ""

    @property
    def told(self) -> str:
        """All that the message tells a model, to estimate its length by."""
        calls = self.tool_calls or ()
        parts = [self.text, self.reasoning or ""]
        return "".join(parts + [call.name + json.dumps(call.arguments) for call in calls])


_ROLE_OF = {
    "reasoning": "assistant",
    "tool_calls": "assistant",
    "tool_call_id": "tool",
    "name": "tool",
}


class ReplyMessage(WireModel):
    """What the model said, thought and wants called. Can be put among messages as it is."""

    role: Literal["assistant"] = "assistant"
    content: str
    reasoning: str | None = None
    """What came between the marks of the model's template; None where it has none."""
    tool_calls: list[ToolCall] = []


def check_conversation(messages: Sequence[Message]) -> None:
    """Refuse a conversation in which calls and what they brought do not belong together.

    What tools brought follows the assistant's message at once, one message for each call.
    """
    open_calls: dict[str, str] = {}
    for position, message in enumerate(messages):
        place = f"messages.{position}"
        if message.role == "tool":
            name = open_calls.pop(message.tool_call_id or "", None)
            if name is None:
                raise invalid(
                    f"{message.tool_call_id!r} is of no call that waits for an answer here",
                    f"{place}.tool_call_id",
                )
            if message.name not in (None, name):
                raise invalid(f"the call was of the tool {name!r}", f"{place}.name")
            continue
        if open_calls:
            raise invalid(f"no tool message answers the call {next(iter(open_calls))!r}", place)
        for number, call in enumerate(message.tool_calls or ()):
            if call.id in open_calls:
                raise invalid(
                    f"the id {call.id!r} is there twice", f"{place}.tool_calls.{number}.id"
                )
            open_calls[call.id] = call.name
    if open_calls:
        raise invalid(f"no tool message answers the call {next(iter(open_calls))!r}", "messages")
    if messages[-1].role not in ("user", "tool"):
        raise invalid("the last message must be the user's or a tool's", "messages")
