"""From what people write to a request of chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from pydantic import BaseModel

from llmaas_client.errors import InvalidRequest
from llmaas_client.reply import ChatReply
from llmaas_client.steps import UNSET, Call
from llmaas_client.wire.chat import SPEC, ChatRequest, Message, ReplyMessage

from .fields import given

if TYPE_CHECKING:
    from llmaas_client.structured.wanted import Wanted

Messages: TypeAlias = str | Sequence[Message | ReplyMessage | Mapping[str, Any]]
"""A user's message, or a conversation so far."""


def chat_call(
    messages: Messages, options: Mapping[str, Any], wanted: Wanted | None = None
) -> Call[ChatReply[Any]]:
    """One request. `options` are those of `ChatOptions`. Raises InvalidRequest."""
    fields = {name: _plain(value) for name, value in options.items() if value is not None}
    timeout = options.get("timeout", UNSET)  # None is no limit
    fields.pop("timeout", None)
    if wanted is not None and wanted.format is not None:
        if "response_format" in fields:
            raise InvalidRequest(
                "returns= and response_format= both say what the answer must be", param="returns"
            )
        fields["response_format"] = wanted.format
    if "tools" in fields:
        from llmaas_client.tools.function import specs_of

        fields["tools"] = specs_of(options["tools"])
    if "documents" in fields and not isinstance(fields["documents"], str):
        fields["documents"] = [_plain(one) for one in fields["documents"]]
    if fields.get("logprobs") is False:
        del fields["logprobs"]
    system = fields.pop("system", None)

    def request() -> ChatRequest:
        talk = conversation(messages, system)
        return ChatRequest.model_validate(given({"messages": talk, **fields}))

    return Call(
        path=SPEC.path,
        request=request,
        read=lambda body: ChatReply.read(body, wanted),
        timeout=timeout,
    )


def conversation(messages: Messages, system: str | None) -> list[dict[str, Any]]:
    """As the wire has it. Raises InvalidRequest for two system messages."""
    if isinstance(messages, str):
        turns: list[dict[str, Any]] = [{"role": "user", "content": messages}]
    else:
        turns = [
            dict(message) if isinstance(message, Mapping) else message.model_dump(exclude_none=True)
            for message in messages
        ]
    if system is None:
        return turns
    if turns and turns[0].get("role") == "system":
        raise InvalidRequest(
            "system= was given, and messages begin with a system message", param="system"
        )
    return [{"role": "system", "content": system}, *turns]


def _plain(value: Any) -> Any:
    """A value of the wire, or what stands for one, as plain data."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_none=True)
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else value
