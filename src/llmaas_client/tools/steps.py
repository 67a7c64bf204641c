"""What happened in a loop of tools: values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from llmaas_client.wire.chat import ChatResult, Message
from llmaas_client.wire.tools import ToolCall

Outcome = Literal["returned", "failed", "refused", "invalid", "unknown"]
"""The function gave a result; raised; was not approved; its arguments were wrong; is not there."""

Decision: TypeAlias = bool | Mapping[str, Any]
"""Go on, don't, or go on with these arguments."""
Approve: TypeAlias = Callable[[ToolCall], Decision | Awaitable[Decision]]
"""Asked before each call. AsyncClient awaits a coroutine function."""
OnToolError = Literal["tell", "raise"]


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One call of a tool, and what came of it."""

    call: ToolCall
    """As the model wanted it."""
    outcome: Outcome
    told: str
    """What the model was told."""
    arguments: Mapping[str, Any] | None = None
    """What the function was called with; None where it was not."""
    value: Any = None
    """What the function returned."""
    error: Exception | None = None
    """What it raised."""

    def message(self) -> Message:
        """What the conversation has of it."""
        return Message(
            role="tool", tool_call_id=self.call.id, name=self.call.name, content=self.told
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One answer in which the model called tools."""

    answer: ChatResult
    runs: tuple[ToolRun, ...]

    def messages(self) -> list[Message]:
        """What the conversation has of it."""
        return [spoken(self.answer), *(run.message() for run in self.runs)]


def spoken(answer: ChatResult) -> Message:
    """An answer as a message of the conversation that goes on."""
    fields = answer.message.model_dump(include={"content", "reasoning"}, exclude_none=True)
    calls = [call.model_dump() for call in answer.message.tool_calls]
    if calls:
        fields["tool_calls"] = calls
    return Message.model_validate({"role": "assistant", **fields})
