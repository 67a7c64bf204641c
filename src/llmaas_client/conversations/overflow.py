"""What a session does when its history exceeds the model's context."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from llmaas_client.wire.base import Usage, WireModel
from llmaas_client.wire.chat import Message

Policy = Literal["error", "drop_oldest", "summarize_oldest"]


class Overflow(WireModel):
    """What was left out so that the rest fits. Turns are counted from 0, whole ones only."""

    policy: Policy
    start: int
    end: int
    """The turns `start` to `end` (exclusive) are not sent any more."""
    tokens: int | None
    """How many fewer tokens the prompt has for that; None where documents were in it."""
    summary: str | None = None
    """What is sent instead of these turns, and of those that were left out before."""
    note: str | None = None
    """Why there is no summary, where there should have been one."""
    usage: Usage | None = None
    """What the summary took."""
    messages: tuple[Message, ...] = Field(default=(), exclude=True)
    """What these turns said."""

    @property
    def turns(self) -> range:
        return range(self.start, self.end)
