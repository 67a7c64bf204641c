"""`POST /hf/chat`, and `/hf/chat/v1/chat/completions`, which is what their client makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field, model_validator

from llmaas_client.wire.base import TaskRequest
from llmaas_server.compat.openai.chat import ChatBody, ChatCompletions
from llmaas_server.compat.openai.fields import refused

NOBODY = "dummy"
"""What their client says instead of a model where it was given an address."""


class HuggingFaceChatBody(ChatBody):
    """The body of `POST /hf/chat`: as `/v1/chat/completions`, in their words."""

    model: str = Field(
        default=NOBODY, description=f"`{NOBODY}`, or nothing, is the default for chat."
    )

    @model_validator(mode="before")
    @classmethod
    def _in_their_words(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        if given.get("tool_prompt") is not None:
            raise refused("tool_prompt", "tools are told to the model by its own template")
        kept = {name: value for name, value in given.items() if name != "tool_prompt"}
        wanted = kept.get("response_format")
        if isinstance(wanted, dict) and "value" in wanted:
            if set(wanted) != {"type", "value"} or wanted["type"] not in ("json", "json_object"):
                raise refused("response_format", "a value is a JSON schema of type json_object")
            schema = {"name": "answer", "schema": wanted["value"]}
            kept["response_format"] = {"type": "json_schema", "json_schema": schema}
        return kept


@dataclass(frozen=True, slots=True)
class HuggingFaceChat(ChatCompletions):
    """Chat, as InferenceClient calls it."""

    path: ClassVar[str] = "/hf/chat"
    asks: ClassVar[bool] = True
    summary: ClassVar[str] = "Chat, as InferenceClient calls it"
    body: ClassVar[type[HuggingFaceChatBody]] = HuggingFaceChatBody

    def read(self, body: ChatBody) -> TaskRequest:
        request = super().read(body)
        if body.model == NOBODY:
            fields = request.model_dump(exclude={"model"}, exclude_unset=True)
            return type(request).model_validate(fields)
        return request


@dataclass(frozen=True, slots=True)
class HuggingFaceChatCompletions(HuggingFaceChat):
    """The same at the address that their client makes of it."""

    path: ClassVar[str] = "/hf/chat/v1/chat/completions"
