"""What they read: chat completions, whole and in pieces. Fields that must be there may be null."""

from __future__ import annotations

from typing import Any, Literal

from llmaas_client.wire.base import WireModel


class CachedTokens(WireModel):
    cached_tokens: int = 0
    audio_tokens: int = 0


class CompletionTokens(WireModel):
    reasoning_tokens: int | None = 0
    """Null where there are some: they are not counted by themselves."""
    audio_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0


class CompletionUsage(WireModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens = CachedTokens()
    completion_tokens_details: CompletionTokens = CompletionTokens()


class TopLogprob(WireModel):
    token: str
    logprob: float
    bytes: list[int] | None


class ChatTokenLogprob(TopLogprob):
    top_logprobs: list[TopLogprob]


class ChatLogprobs(WireModel):
    content: list[ChatTokenLogprob] | None
    refusal: None = None


class CalledFunction(WireModel):
    name: str
    arguments: str


class FunctionToolCall(WireModel):
    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class Reply(WireModel):
    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: None = None
    annotations: list[Any] = []
    tool_calls: list[FunctionToolCall] | None = None
    reasoning_content: str | None = None


class ChatChoice(WireModel):
    index: int
    message: Reply
    logprobs: ChatLogprobs | None
    finish_reason: str


class ChatCompletion(WireModel):
    """The answer of `POST /v1/chat/completions`."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: CompletionUsage
    service_tier: None = None
    system_fingerprint: None = None


class TextLogprobs(WireModel):
    """One entry of each list for each token."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]] | None
    text_offset: list[int]


class TextChoice(WireModel):
    index: int
    text: str
    logprobs: TextLogprobs | None
    finish_reason: str


class TextCompletion(WireModel):
    """The answer of `POST /v1/completions`."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[TextChoice]
    usage: CompletionUsage
    system_fingerprint: None = None


class EmbeddingUsage(WireModel):
    prompt_tokens: int
    total_tokens: int


class Embedding(WireModel):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str
    """Numbers, or with `base64` the bytes of little-endian float32."""


class EmbeddingList(WireModel):
    """The answer of `POST /v1/embeddings`."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
