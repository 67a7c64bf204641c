"""`POST /hf/chat`, and `/hf/chat/v1/chat/completions`, which is what their client makes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field, model_validator

from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.errors import ErrorBody
from llmaas_client.wire.sse import data
from llmaas_server.api.context import Statuses
from llmaas_server.api.endpoint import EventShape
from llmaas_server.api.problems import NATIVE
from llmaas_server.api.translated import Told
from llmaas_server.compat.openai.chat import ChatBody, ChatCompletions, ChatScript
from llmaas_server.compat.openai.fields import refused
from llmaas_server.compat.openai.pieces import stream_of
from llmaas_server.seam.values import Result

from .shapes import (
    HuggingFaceChoice,
    HuggingFaceChunk,
    HuggingFaceCompletion,
    HuggingFaceFailure,
    HuggingFaceReply,
)

NOBODY = "dummy"
"""What their client says instead of a model where it was given an address."""

NOBODIES = frozenset({NOBODY, "tgi"})
"""And what people write there, who talk to their server."""

ERROR_TYPES = {"invalid_request": "validation", "overloaded": "overloaded"}
"""Family of an error -> the name by which their client chooses a class."""


class HuggingFaceChatBody(ChatBody):
    """The body of `POST /hf/chat`: as `/v1/chat/completions`, in their words."""

    model: str = Field(
        default=NOBODY, description=f"`{NOBODY}`, `tgi` or nothing: the default for chat."
    )

    @model_validator(mode="before")
    @classmethod
    def _in_their_words(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        kept = {name: value for name, value in given.items() if value is not None}
        if "tool_prompt" in kept:
            raise refused("tool_prompt", "tools are told to the model by its own template")
        if kept.get("model") in NOBODIES:
            del kept["model"]
        if isinstance(messages := kept.get("messages"), list):
            kept["messages"] = [_message(one) for one in messages]
        if isinstance(choice := kept.get("tool_choice"), dict):
            kept["tool_choice"] = {"type": "function", **choice}
        if isinstance(wanted := kept.get("response_format"), dict):
            kept["response_format"] = _response_format(wanted)
        return kept


def _message(given: Any) -> Any:
    """Their client sends all fields of its messages, most of them null."""
    if not isinstance(given, dict):
        return given
    kept = {name: value for name, value in given.items() if value is not None}
    if "reasoning" in kept:
        kept["reasoning_content"] = kept.pop("reasoning")
    if isinstance(calls := kept.get("tool_calls"), list):
        kept["tool_calls"] = [_call(one) for one in calls]
    return kept


def _call(given: Any) -> Any:
    function = given.get("function") if isinstance(given, dict) else None
    if not isinstance(function, dict):
        return given
    kept = {name: value for name, value in function.items() if name != "description"}
    if isinstance(kept.get("arguments"), dict):
        kept["arguments"] = json.dumps(kept["arguments"], ensure_ascii=False)
    return {**given, "function": kept}


def _response_format(given: dict[str, Any]) -> dict[str, Any]:
    """Their client makes `{"type": "json_object", "value": …}` of a JSON schema."""
    if "value" not in given:
        return given
    if given.keys() != {"type", "value"} or given["type"] not in ("json", "json_object"):
        raise refused("response_format", "a value is a JSON schema, of type json or json_object")
    schema = {"name": "answer", "schema": given["value"]}
    return {"type": "json_schema", "json_schema": schema}


@dataclass(frozen=True, slots=True)
class HuggingFaceChat:
    """Chat, as InferenceClient calls it: what the OpenAI SDK calls, with reasoning and errors
    where their client looks for them."""

    path: str = "/hf/chat"

    asks: ClassVar[bool] = True
    statuses: ClassVar[Statuses] = NATIVE
    summary: ClassVar[str] = "Chat, as InferenceClient calls it"
    body: ClassVar[type[HuggingFaceChatBody]] = HuggingFaceChatBody
    answer: ClassVar[type[HuggingFaceCompletion]] = HuggingFaceCompletion
    events: ClassVar[tuple[EventShape, ...]] = stream_of(HuggingFaceChunk, HuggingFaceFailure)
    task: ClassVar[str] = "chat"
    job: ClassVar[str] = "chat"

    def read(self, body: HuggingFaceChatBody) -> TaskRequest:
        request = ChatCompletions().read(body)
        if body.model != NOBODY:
            return request
        fields = request.model_dump(exclude={"model"}, exclude_unset=True)
        return type(request).model_validate(fields)

    def write(self, body: HuggingFaceChatBody, told: Told, result: Result) -> HuggingFaceCompletion:
        answer = ChatCompletions().write(body, told, result)
        choices = [
            HuggingFaceChoice(
                index=one.index,
                message=HuggingFaceReply(
                    role=one.message.role,
                    content=one.message.content,
                    reasoning=one.message.reasoning_content,
                    tool_calls=one.message.tool_calls,
                ),
                logprobs=one.logprobs,
                finish_reason=one.finish_reason,
            )
            for one in answer.choices
        ]
        return HuggingFaceCompletion(
            id=answer.id,
            object=answer.object,
            created=answer.created,
            model=answer.model,
            choices=choices,
            usage=answer.usage,
        )

    def script(self, body: HuggingFaceChatBody, told: Told) -> HuggingFaceScript:
        return HuggingFaceScript(told, body.n, with_usage=body.with_usage)

    def error(self, body: ErrorBody) -> bytes:
        error = body.error
        told = HuggingFaceFailure(
            error=error.message,
            error_type=ERROR_TYPES.get(error.type, "generation"),
            details=error,
        )
        return data(told.model_dump_json())


class HuggingFaceScript(ChatScript):
    """The pieces of a chat, with reasoning under their name for it."""

    def _piece(
        self,
        index: int,
        delta: dict[str, Any],
        *,
        finish_reason: str | None = None,
        logprobs: Any = None,
    ) -> bytes:
        theirs = {_NAMES.get(name, name): value for name, value in delta.items()}
        return super()._piece(index, theirs, finish_reason=finish_reason, logprobs=logprobs)


_NAMES = {"reasoning_content": "reasoning"}
