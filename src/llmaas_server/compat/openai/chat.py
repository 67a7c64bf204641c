"""`POST /v1/chat/completions`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.chat import MAX_ANSWERS, MAX_MESSAGES, ChatRequest, Stop
from llmaas_server.api.endpoint import EventShape
from llmaas_server.api.translated import Told
from llmaas_server.seam.values import Delta, Result

from . import answers
from .chunks import Chunks
from .messages import (
    GivenChoice,
    GivenFormat,
    GivenMessage,
    GivenTool,
    choice_of,
    format_of,
    messages_of,
    tool_of,
)
from .pieces import ChatCompletionChunk, stream_of
from .refusals import OpenAIFormat
from .sampling import SampledBody
from .shapes import ChatCompletion


class ChatBody(SampledBody):
    """The body of `POST /v1/chat/completions`."""

    messages: Annotated[list[GivenMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int = Field(default=1, ge=1, le=MAX_ANSWERS)
    stop: Stop | list[Stop] | None = None
    logprobs: bool = False
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    response_format: GivenFormat | None = None
    tools: list[GivenTool] | None = None
    tool_choice: GivenChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Literal["none"] | None = Field(
        default=None, description="`none` asks a model that marks its reasoning to begin none."
    )


@dataclass(frozen=True, slots=True)
class ChatCompletions(OpenAIFormat):
    """Chat, as the OpenAI SDK calls it."""

    path: ClassVar[str] = "/v1/chat/completions"
    summary: ClassVar[str] = "Chat, as the OpenAI SDK calls it"
    body: ClassVar[type[ChatBody]] = ChatBody
    answer: ClassVar[type[ChatCompletion]] = ChatCompletion
    events: ClassVar[tuple[EventShape, ...]] = stream_of(ChatCompletionChunk)
    task: ClassVar[str] = "chat"
    job: ClassVar[str] = "chat"

    def read(self, body: ChatBody) -> TaskRequest:
        fields = {
            "messages": messages_of(body.messages),
            "max_tokens": body.max_completion_tokens or body.max_tokens,
            "n": body.n,
            "stop": body.stop,
            "logprobs": body.logprobs,
            "top_logprobs": (body.top_logprobs or None) if body.logprobs else body.top_logprobs,
            "response_format": format_of(body.response_format),
            "tools": [tool_of(one.function) for one in body.tools or ()] or None,
            "tool_choice": choice_of(body.tool_choice) if body.tools else None,
            "parallel_tool_calls": body.parallel_tool_calls,
            "reasoning": "off" if body.reasoning_effort == "none" else None,
        }
        return body.asking(ChatRequest, fields)

    def write(self, body: ChatBody, told: Told, result: Result) -> ChatCompletion:
        return ChatCompletion(
            id=_id(told),
            created=told.created,
            model=told.model,
            choices=[answers.choice(i, answer) for i, answer in enumerate(answers.of(result))],
            usage=answers.usage(result),
        )

    def script(self, body: ChatBody, told: Told) -> ChatScript:
        return ChatScript(told, body.n, with_usage=body.with_usage)


class ChatScript:
    """The pieces of a streamed chat completion.

    The role comes once for each answer, and the reason of its end once, with an empty delta.
    """

    def __init__(self, told: Told, n: int, *, with_usage: bool) -> None:
        kind = "chat.completion.chunk"
        self._chunks = Chunks(_id(told), kind, told, with_usage=with_usage)
        self._n = n

    def start(self) -> bytes:
        said = {"role": "assistant", "content": "", "refusal": None}
        return b"".join(self._piece(number, said) for number in range(self._n))

    def delta(self, delta: Delta) -> bytes:
        said: dict[str, Any] = {}
        if delta.text or (delta.logprobs and not delta.reasoning and delta.tool_call is None):
            said["content"] = delta.text
        if delta.reasoning:
            said["reasoning_content"] = delta.reasoning
        if delta.tool_call is not None:
            said["tool_calls"] = [answers.call_piece(delta.tool_call)]
        if not said:
            return b""
        logprobs = None if delta.logprobs is None else answers.logprobs(delta.logprobs)
        return self._piece(delta.choice, said, logprobs=logprobs)

    def end(self, result: Result) -> bytes:
        last = (
            self._piece(number, {}, finish_reason=answer["finish_reason"])
            for number, answer in enumerate(answers.of(result))
        )
        return self._chunks.end(last, result)

    def _piece(
        self,
        index: int,
        delta: dict[str, Any],
        *,
        finish_reason: str | None = None,
        logprobs: Any = None,
    ) -> bytes:
        return self._chunks.piece(
            index, {"delta": delta}, finish_reason=finish_reason, logprobs=logprobs
        )


def _id(told: Told) -> str:
    return told.id.replace("req_", "chatcmpl-", 1)
