"""The events of a streamed result, in order: start, then delta and progress, then done or error.

A stream that ends without `done` or `error` was cut: never a short success.
"""

from __future__ import annotations

from typing import Literal

from .base import WireModel
from .chat import TokenLogprob

EventName = Literal["start", "delta", "progress", "done", "error"]


class Start(WireModel):
    """The worker has accepted the request."""

    id: str
    model: str
    prompt_tokens: int


class Delta(WireModel):
    """The next piece of text: valid Unicode, and all pieces join to the whole."""

    text: str
    logprobs: list[TokenLogprob] | None = None


class Progress(WireModel):
    """How far a task of several parts has come."""

    stage: str
    done: int
    total: int


# `done` carries the whole result of the task, `error` an ErrorBody.
