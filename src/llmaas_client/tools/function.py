"""A Python function as a tool: its schema, its arguments, its results."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pydantic_core import PydanticSerializationError, to_json

from llmaas_client.drive import is_async
from llmaas_client.errors import ConfigurationError, UnsupportedType
from llmaas_client.structured.schema import schema_of
from llmaas_client.structured.typed_dicts import readable
from llmaas_client.structured.wanted import adapter_of
from llmaas_client.wire.tools import Tool

from . import docstrings

MAX_RESULT = 20_000
"""Characters of a result that the model is told."""


class FunctionTool:
    """A typed function that a model may call.

    The function itself will do wherever tools are asked for; this is for another name, another
    description, or what has no name of its own.

    Args:
        function: Its parameters have names and types; what they mean stands in its docstring, or
            in `Annotated[…, Field(description=…)]`.
        name: What the model calls it; else the function's own.
        description: What it is for; else what its docstring says.

    Raises:
        UnsupportedType: a parameter has no type, or one that is no JSON.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
    ) -> None:
        own = getattr(function, "__name__", None)
        if name is None and (own is None or own == "<lambda>"):
            raise ConfigurationError(
                f"{function!r} has no name that a model could call",
                hint="FunctionTool(function, name=…) gives it one.",
            )
        self.function = function
        self.name: str = name or str(own)
        told, meanings = docstrings.read(inspect.getdoc(function))
        self.description = told if description is None else description
        self._adapter = adapter_of(_collector(function, self.name), f"{self.name}()")
        schema = schema_of(self._adapter, f"{self.name}()")
        for parameter, meaning in meanings.items():
            if parameter in schema.get("properties", {}):
                schema["properties"][parameter].setdefault("description", meaning)
        self.parameters = schema

    def __repr__(self) -> str:
        return f"FunctionTool({self.name})"

    @property
    def is_async(self) -> bool:
        """Whether it has to be awaited."""
        return is_async(self.function)

    def spec(self) -> dict[str, Any]:
        """As the wire has it."""
        return {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }

    def bind(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments as Python values, defaults among them. Raises ValidationError."""
        bound: dict[str, Any] = self._adapter.validate_python(dict(arguments))
        return bound


Tools: TypeAlias = Sequence["Callable[..., Any] | FunctionTool"]
"""What a loop can call."""
ToolSpecs: TypeAlias = Sequence["Callable[..., Any] | FunctionTool | Tool | Mapping[str, Any]"]
"""What a model can be told of; one without a function is called by nobody but you."""


def specs_of(tools: ToolSpecs) -> list[dict[str, Any]]:
    """As the wire has them."""
    return [_spec(tool) for tool in tools]


def _spec(tool: Any) -> dict[str, Any]:
    if isinstance(tool, Tool):
        return tool.model_dump(exclude_unset=True)
    if isinstance(tool, Mapping):
        return {**tool}
    return functional(tool).spec()


def functional(tool: Callable[..., Any] | FunctionTool) -> FunctionTool:
    """Raises ConfigurationError for what cannot be called."""
    if isinstance(tool, FunctionTool):
        return tool
    if not callable(tool):
        raise ConfigurationError(
            f"{tool!r} is no function", hint="Tools are Python functions; see FunctionTool."
        )
    return FunctionTool(tool)


def encoded(value: Any) -> str:
    """A result as the model is told of it: text as it is, all else as JSON, cut where it is long.

    Raises TypeError for what is no JSON.
    """
    try:
        text = value if isinstance(value, str) else to_json(value).decode()
    except (PydanticSerializationError, ValueError) as error:
        raise TypeError(f"the result cannot be written as JSON: {error}") from error
    if len(text) <= MAX_RESULT:
        return text
    return f"{text[:MAX_RESULT]}… (cut here: {len(text)} characters in all)"


def _collector(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function of the same parameters that gives them back: pydantic checks them for it."""
    try:
        signature = inspect.signature(function)
        target = function if _has_hints(function) else type(function).__call__
        told = typing.get_type_hints(inspect.unwrap(target), include_extras=True)
        hints = {parameter: readable(hint) for parameter, hint in told.items()}
    except (TypeError, ValueError, NameError) as error:
        raise UnsupportedType(f"{name}() cannot be a tool: {error}", param="tools") from error
    for parameter in signature.parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise UnsupportedType(
                f"{name}(): the parameter {str(parameter)!r} has no name to give it by",
                hint="A model gives arguments by their names.",
                param="tools",
            )
        if parameter.name not in hints:
            raise UnsupportedType(
                f"{name}(): the parameter {parameter.name!r} has no type",
                hint=f"Write {parameter.name}: str, or whatever it is.",
                param="tools",
            )

    def collect(**arguments: Any) -> dict[str, Any]:
        return arguments

    collect.__signature__ = signature  # type: ignore[attr-defined]
    collect.__annotations__ = hints
    collect.__module__ = getattr(function, "__module__", __name__)
    return collect


def _has_hints(function: Any) -> bool:
    return inspect.isroutine(function) or inspect.isclass(function)
