"""Tools: what a model may call, what it called, and what a caller says about that."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError, PydanticSerializationError, to_json

from .base import Characters, Request, WireModel

MAX_TOOLS = 128
MAX_SCHEMA_BYTES = 65_536
"""Of the parameters of one tool, as JSON."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The name of a tool."""

CallId = Annotated[Characters, Field(min_length=1, max_length=256)]


def _check_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Refuse what cannot describe named arguments; the grammar reads the rest."""
    if schema.get("type", "object") != "object":
        raise PydanticCustomError(
            "invalid_request", 'the parameters of a tool must be of type "object"'
        )
    try:
        size = len(to_json(schema))
    except (PydanticSerializationError, ValueError):
        raise PydanticCustomError("invalid_request", "the schema is no JSON") from None
    if size > MAX_SCHEMA_BYTES:
        raise PydanticCustomError(
            "invalid_request",
            "the schema has {size} bytes as JSON; {most} is the most",
            {"size": size, "most": MAX_SCHEMA_BYTES},
        )
    return schema


class Tool(Request):
    """A function that the model may call; the caller carries it out."""

    name: Name
    description: Annotated[Characters, Field(max_length=8192)] = ""
    parameters: Annotated[dict[str, Any], AfterValidator(_check_schema)] = Field(
        default_factory=lambda: {"type": "object", "properties": {}},
        description='JSON schema of the arguments, of type "object".',
    )


class ToolName(Request):
    """The one tool to call."""

    name: Name


ToolChoice = Literal["auto", "none", "required"] | ToolName


class PastCall(Request):
    """A call of an earlier answer, in the conversation that is sent back."""

    id: CallId
    name: Name
    arguments: dict[str, Any] = {}


class ToolCall(WireModel):
    """A call that the model wants; its arguments are as the parameters of the tool say."""

    id: str
    name: str
    arguments: dict[str, Any]


class CutCall(WireModel):
    """A call that max_tokens or the context cut: not to be carried out."""

    id: str
    name: str
    text: str
    """The JSON of its arguments, as far as it came."""


class ToolCallDelta(WireModel):
    """The next piece of a call. The first one of each call carries `id` and `name`."""

    index: int
    """Of the call in its message."""
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    """JSON: all pieces of one call join to the whole."""
