"""The events of a streamed result, in order: start, then delta and progress, then done or error.

A stream that ends without `done` or `error` was cut: never a short success.
"""

from __future__ import annotations

from typing import Literal

from .base import WireModel
from .chat import TokenLogprob
from .tools import ToolCallDelta

EventName = Literal["start", "delta", "progress", "done", "error"]


class Start(WireModel):
    """The worker has accepted the request."""

    id: str
    model: str
    prompt_tokens: int


class Delta(WireModel):
    """The next piece of an answer: of its text, of its reasoning or of a tool call.

    Text is valid Unicode, and all pieces of one kind and choice join to the whole.
    """

    text: str
    """Empty where the piece is of something else."""
    logprobs: list[TokenLogprob] | None = None
    choice: int = 0
    """Which of the `n` answers."""
    reasoning: str = ""
    tool_call: ToolCallDelta | None = None


class Progress(WireModel):
    """How far a task of several parts has come."""

    stage: str
    done: int
    total: int


# `done` carries the whole result of the task, `error` an ErrorBody.
