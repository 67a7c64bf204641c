"""What they read of a stream: the pieces of chat completions and of texts.

`Chunks` writes them; in a delta a field that has nothing new is absent.
"""

from __future__ import annotations

from typing import Literal

from llmaas_client.wire.base import WireModel
from llmaas_client.wire.errors import ErrorBody
from llmaas_server.api.endpoint import EventShape

from .shapes import ChatLogprobs, CompletionUsage, TextLogprobs

END = "[DONE]"
"""The last event of their streams."""


class CalledPiece(WireModel):
    name: str | None = None
    """With the first piece of a call."""
    arguments: str
    """JSON: all pieces of one call join to the whole."""


class ToolCallChunk(WireModel):
    """The next piece of a call. `id`, `type` and the name come with its first one."""

    index: int
    id: str | None = None
    type: Literal["function"] | None = None
    function: CalledPiece


class Said(WireModel):
    """What is new of an answer to a chat."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    refusal: None = None
    tool_calls: list[ToolCallChunk] | None = None


class ChatDelta(Said):
    """What is new of an answer."""

    reasoning_content: str | None = None


class ChunkChoice(WireModel):
    """What is new of one of the answers."""

    index: int
    finish_reason: str | None
    """With the last piece of an answer, which has nothing else."""


class ChatChunkChoice(ChunkChoice):
    delta: ChatDelta
    logprobs: ChatLogprobs | None


class TextChunkChoice(ChunkChoice):
    text: str
    logprobs: TextLogprobs | None


class Chunk(WireModel):
    """What all pieces of a stream of theirs say. `choices` has one answer; none in the piece that
    says what was used."""

    id: str
    created: int
    model: str
    system_fingerprint: None
    usage: CompletionUsage | None = None
    """With `stream_options.include_usage`: in a piece of its own after all others, null before."""


class ChatCompletionChunk(Chunk):
    """A piece of a streamed chat completion."""

    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    choices: list[ChatChunkChoice]


class TextCompletionChunk(Chunk):
    """A piece of a streamed completion."""

    object: Literal["text_completion"] = "text_completion"
    choices: list[TextChunkChoice]


def stream_of(piece: type[WireModel], error: type[WireModel] = ErrorBody) -> tuple[EventShape, ...]:
    """Of a stream of such pieces; one that fails ends with the error alone."""
    return (EventShape(None, piece), EventShape(None, END), EventShape(None, error))
