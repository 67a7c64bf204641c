"""What they read: a response and the items of its output."""

from __future__ import annotations

from typing import Any, Literal

from llmaas_client.wire.base import WireModel
from llmaas_server.compat.openai.shapes import ChatTokenLogprob

Status = Literal["in_progress", "completed", "incomplete"]


class OutputText(WireModel):
    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[Any] = []
    logprobs: list[ChatTokenLogprob] = []


class OutputMessage(WireModel):
    id: str
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    status: Status
    content: list[OutputText]


class OutputCall(WireModel):
    """With the status `incomplete` it was cut, and is not to be carried out."""

    id: str
    type: Literal["function_call"] = "function_call"
    call_id: str
    name: str
    arguments: str
    status: Status


class ReasoningText(WireModel):
    type: Literal["reasoning_text"] = "reasoning_text"
    text: str


class OutputReasoning(WireModel):
    id: str
    type: Literal["reasoning"] = "reasoning"
    summary: list[Any] = []
    content: list[ReasoningText]
    status: Status


OutputItem = OutputReasoning | OutputMessage | OutputCall


class InputTokensDetails(WireModel):
    cached_tokens: int
    cache_write_tokens: int = 0


class OutputTokensDetails(WireModel):
    reasoning_tokens: int | None
    """Null where there are some: they are not counted by themselves."""


class ResponseUsage(WireModel):
    input_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens: int
    output_tokens_details: OutputTokensDetails
    total_tokens: int


class IncompleteDetails(WireModel):
    reason: Literal["max_output_tokens"] = "max_output_tokens"


class ModelResponse(WireModel):
    """The answer of `POST /v1/responses`."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: Status
    error: None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None
    metadata: dict[str, str] = {}
    model: str
    output: list[OutputItem]
    parallel_tool_calls: bool
    temperature: float | None
    top_p: float | None
    tool_choice: Any
    tools: list[Any]
    max_output_tokens: int | None
    top_logprobs: int | None
    text: dict[str, Any]
    reasoning: dict[str, Any]
    usage: ResponseUsage | None
    background: Literal[False] = False
    previous_response_id: None = None
    service_tier: Literal["default"] = "default"
    store: Literal[False] = False
    truncation: Literal["disabled"] = "disabled"
    user: None = None
