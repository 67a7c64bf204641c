"""Their messages and tools as ours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from llmaas_client.wire.base import Characters, Request
from llmaas_client.wire.messages import Message
from llmaas_client.wire.tools import PastCall, Tool, ToolChoice, ToolName
from llmaas_server.errors import Problem

from .fields import refused

ROLES: dict[str, Literal["system", "user", "assistant", "tool"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


class Part(Request):
    """A piece of a message's content; text is all that there is here."""

    type: str
    text: Characters | None = None
    refusal: Characters | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("type") not in ("text", "refusal"):
            raise refused("type", f"parts of type {given.get('type')!r} cannot be read: text can")
        return given


class PastFunction(Request):
    name: str
    arguments: Characters
    """JSON."""


class Called(Request):
    id: str
    type: Literal["function"] = "function"
    function: PastFunction


class GivenMessage(Request):
    """One message, of whichever role."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Characters | list[Part] | None = None
    name: Characters | None = None
    tool_calls: list[Called] | None = None
    tool_call_id: Characters | None = None
    refusal: Characters | None = None
    reasoning_content: Characters | None = None
    annotations: list[Any] | None = None
    audio: None = None
    function_call: None = None

    @property
    def text(self) -> str | None:
        if isinstance(self.content, list):
            return "".join(part.text or part.refusal or "" for part in self.content)
        return self.content if self.content is not None else self.refusal


class Function(Request):
    name: str
    description: Characters | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    """Arguments always follow the schema here."""


class GivenTool(Request):
    type: Literal["function"]
    function: Function


class ChosenFunction(Request):
    name: str


class ChosenTool(Request):
    type: Literal["function"]
    function: ChosenFunction


GivenChoice = Literal["auto", "none", "required"] | ChosenTool


class SchemaFormat(Request):
    name: str
    description: Characters | None = None
    given_schema: dict[str, Any] = Field(default_factory=dict, alias="schema")
    strict: bool | None = None


class TextFormat(Request):
    type: Literal["text"]


class ObjectFormat(Request):
    type: Literal["json_object"]


class NamedSchemaFormat(Request):
    type: Literal["json_schema"]
    json_schema: SchemaFormat


GivenFormat = Annotated[TextFormat | ObjectFormat | NamedSchemaFormat, Field(discriminator="type")]


def messages_of(given: Sequence[GivenMessage]) -> list[Message]:
    """Raises Problem, ValidationError where they are no conversation."""
    return [_message(one, f"messages.{number}") for number, one in enumerate(given)]


def _message(given: GivenMessage, place: str) -> Message:
    role = ROLES[given.role]
    fields: dict[str, Any] = {"role": role, "content": given.text}
    if role == "assistant":
        fields["reasoning"] = given.reasoning_content
        fields["tool_calls"] = [
            past_call(one.id, one.function.name, one.function.arguments, f"{place}.tool_calls.{i}")
            for i, one in enumerate(given.tool_calls or ())
        ] or None
    elif role == "tool":
        fields["tool_call_id"] = given.tool_call_id
    return Message.model_validate(
        {name: value for name, value in fields.items() if value is not None}
    )


def past_call(id: str, name: str, arguments: str, place: str) -> PastCall:
    """Raises Problem for arguments that are no JSON object."""
    try:
        read = json.loads(arguments or "{}")
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Problem(
            "invalid_request",
            "the arguments of a call are one JSON object",
            param=f"{place}.function.arguments",
        )
    return PastCall(id=id, name=name, arguments=read)


def tool_of(function: Function) -> Tool:
    fields: dict[str, Any] = {"name": function.name}
    if function.description is not None:
        fields["description"] = function.description
    if function.parameters:
        fields["parameters"] = function.parameters
    return Tool.model_validate(fields)


def choice_of(given: GivenChoice | None) -> ToolChoice | None:
    return ToolName(name=given.function.name) if isinstance(given, ChosenTool) else given


def format_of(given: TextFormat | ObjectFormat | NamedSchemaFormat | None) -> dict[str, Any] | None:
    """Our `response_format`."""
    match given:
        case ObjectFormat():
            return {"type": "json"}
        case NamedSchemaFormat():
            return {"type": "json_schema", "schema": given.json_schema.given_schema}
    return None
