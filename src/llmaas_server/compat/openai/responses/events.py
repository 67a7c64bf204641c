"""What they read of a streamed response: each event by its name, all of them numbered."""

from __future__ import annotations

from typing import Literal

from llmaas_client.wire.base import WireModel
from llmaas_client.wire.errors import ErrorCode, ErrorDetail
from llmaas_server.api.endpoint import EventShape
from llmaas_server.compat.openai.shapes import ChatTokenLogprob

from .shapes import ModelResponse, OutputItem, OutputText, ReasoningText


class ResponseEvent(WireModel):
    """One event; `type` is its name once more."""

    type: str
    sequence_number: int


class OfResponse(ResponseEvent):
    """The response as it is now."""

    response: ModelResponse


class OfItem(ResponseEvent):
    """An item of the output that begins or is whole."""

    output_index: int
    item: OutputItem


class InItem(ResponseEvent):
    """Something of one item."""

    item_id: str
    output_index: int


class OfPart(InItem):
    """A part of an item that begins or is whole."""

    content_index: int
    part: OutputText | ReasoningText


class TextDelta(InItem):
    """The next piece of a message's text."""

    content_index: int
    delta: str
    logprobs: list[ChatTokenLogprob]


class TextDone(InItem):
    content_index: int
    text: str
    logprobs: list[ChatTokenLogprob]


class ReasoningDelta(InItem):
    """The next piece of what the model thinks."""

    content_index: int
    delta: str


class ReasoningDone(InItem):
    content_index: int
    text: str


class ArgumentsDelta(InItem):
    """The next piece of a call's arguments, which are JSON."""

    delta: str


class ArgumentsDone(InItem):
    name: str
    arguments: str


class ResponseFailure(WireModel):
    """How a stream ends that fails."""

    type: Literal["error"] = "error"
    code: ErrorCode
    message: str
    param: str | None
    error: ErrorDetail


_SHAPES: dict[str, type[WireModel]] = {
    "response.created": OfResponse,
    "response.in_progress": OfResponse,
    "response.output_item.added": OfItem,
    "response.content_part.added": OfPart,
    "response.reasoning_text.delta": ReasoningDelta,
    "response.reasoning_text.done": ReasoningDone,
    "response.output_text.delta": TextDelta,
    "response.output_text.done": TextDone,
    "response.function_call_arguments.delta": ArgumentsDelta,
    "response.function_call_arguments.done": ArgumentsDone,
    "response.content_part.done": OfPart,
    "response.output_item.done": OfItem,
    "response.completed": OfResponse,
    "response.incomplete": OfResponse,
    "error": ResponseFailure,
}

EVENTS = tuple(EventShape(name, shape) for name, shape in _SHAPES.items())
"""In about the order in which they come."""
