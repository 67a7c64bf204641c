"""The type that an answer is to have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, EnumType
from typing import TYPE_CHECKING, Any, Literal, cast, get_args, get_origin

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from llmaas_client.errors import OutputMismatch, OutputTruncated, UnsupportedType
from llmaas_client.wire.chat import MAX_CHOICES

from .schema import schema_of
from .typed_dicts import readable

if TYPE_CHECKING:
    from llmaas_client.wire.chat import ChatResult, Choice

MAX_CHOICE = 1024
"""Characters; longer choices are written as JSON."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the server is asked to hold an answer to, and how the answer is read."""

    name: str
    format: dict[str, Any] | None
    """None for text, which needs no format."""
    read: Callable[[str], Any]
    """Raises ValidationError."""

    def value_of(self, answer: Choice, result: ChatResult) -> Any:
        """The value of one answer of a result. Raises OutputTruncated, OutputMismatch."""
        if self.format is None:
            return answer.text
        if answer.finish_reason == "length":
            raise OutputTruncated(
                f"the answer ended before it was a whole {self.name}",
                hint="Raise max_tokens, or ask for less; .partial has the text that came.",
                partial=answer.text,
                result=result,
            )
        try:
            return self.read(answer.text)
        except ValidationError as error:
            problems = problems_of(error)
            raise OutputMismatch(
                f"the answer is no {self.name}: {'; '.join(problems)}",
                hint="The model keeps to the schema, but not to what only Python checks: say it "
                "in the message, and ask again.",
                text=answer.text,
                problems=problems,
                result=result,
            ) from None


def wanted_of(returns: Any) -> Wanted | None:
    """What `returns=` asks for. Raises UnsupportedType for what no schema can describe."""
    if returns is None:
        return None
    name = name_of(returns)
    if returns is str:
        return Wanted(name, None, str)
    adapter = adapter_of(returns, name)
    choices = _choices(returns)
    if choices is not None:
        return Wanted(name, {"type": "choice", "choices": choices}, adapter.validate_python)
    schema = schema_of(adapter, name)
    return Wanted(name, {"type": "json_schema", "schema": schema}, adapter.validate_json)


def adapter_of(type_: Any, name: str) -> TypeAdapter[Any]:
    """Raises UnsupportedType."""
    try:
        return TypeAdapter(readable(type_))
    except (PydanticUserError, SchemaError, TypeError, NameError) as error:
        reason = str(error).strip().splitlines()[0].removeprefix("Error building ")
        raise UnsupportedType(
            f"{name} is no type that an answer can have: {reason}",
            hint="Use a pydantic model, a dataclass, a TypedDict, an Enum, a Literal, or a "
            "combination of them.",
            param="returns",
        ) from error


def name_of(type_: Any) -> str:
    """As people write it: `Invoice`, `list[Invoice]`."""
    if isinstance(type_, type) and get_origin(type_) is None:
        return type_.__name__
    return str(type_).replace("typing.", "")


def problems_of(error: ValidationError) -> list[str]:
    """Each thing that is wrong, with its place."""
    return [
        ": ".join(part for part in (".".join(map(str, one["loc"])), one["msg"]) if part)
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _choices(type_: Any) -> list[str] | None:
    """The texts to choose from, where the type has nothing else."""
    values: list[Any] = []
    if get_origin(type_) is Literal:
        values = list(get_args(type_))
    elif isinstance(type_, EnumType):
        members = cast("type[Enum]", type_)
        values = [member.value for member in members]
    plain = [value for value in values if type(value) is str and 0 < len(value) <= MAX_CHOICE]
    return plain if plain and len(plain) == len(values) <= MAX_CHOICES else None
