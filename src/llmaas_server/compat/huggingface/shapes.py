"""What they read of a chat, whole and in pieces: reasoning and failures under their names."""

from __future__ import annotations

from typing import Literal

from llmaas_client.wire.base import WireModel
from llmaas_client.wire.errors import ErrorDetail
from llmaas_server.compat.openai.pieces import Chunk, ChunkChoice, Said
from llmaas_server.compat.openai.shapes import ChatLogprobs, CompletionUsage, FunctionToolCall


class HuggingFaceReply(WireModel):
    role: str
    content: str | None
    reasoning: str | None
    tool_calls: list[FunctionToolCall] | None


class HuggingFaceChoice(WireModel):
    index: int
    message: HuggingFaceReply
    logprobs: ChatLogprobs | None
    finish_reason: str


class HuggingFaceCompletion(WireModel):
    """The answer of `POST /hf/chat`."""

    id: str
    object: str
    created: int
    model: str
    system_fingerprint: str = ""
    choices: list[HuggingFaceChoice]
    usage: CompletionUsage


class HuggingFaceDelta(Said):
    """What is new of an answer."""

    reasoning: str | None = None


class HuggingFaceChunkChoice(ChunkChoice):
    delta: HuggingFaceDelta
    logprobs: ChatLogprobs | None


class HuggingFaceChunk(Chunk):
    """A piece of a streamed chat."""

    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    choices: list[HuggingFaceChunkChoice]


class HuggingFaceFailure(WireModel):
    """How a stream ends that fails."""

    error: str
    error_type: str
    details: ErrorDetail
