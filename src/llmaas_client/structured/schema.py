"""From a type to the JSON schema that the server can hold an answer to.

A grammar cannot hold everything that a type says: what it cannot is left out of the schema and
checked in the answer, since every value is validated here. What would leave nothing to go by is
refused, with its place, before anything is sent.
"""

from __future__ import annotations

import re
from typing import Any, cast

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from llmaas_client.errors import UnsupportedType

MOST_INTEGER = 2**53 - 1
"""Of integers without bounds of their own: the most that all readers of JSON agree on. A small
model would go on with digits for ever."""

_REFUSED = "x-llmaas-refused"

# Keywords that the server's grammars do not know, all of which only narrow.
_CHECKED_LATER = frozenset(
    [
        "uniqueItems",
        "propertyNames",
        "not",
        "contains",
        "minContains",
        "maxContains",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
        "if",
        "then",
        "else",
        "unevaluatedItems",
        "unevaluatedProperties",
        "discriminator",
        "contentSchema",
        "contentMediaType",
        "contentEncoding",
    ]
)
_FORMATS = frozenset(
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"]
)
_BOUNDS = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum", "const", "multipleOf"}
)
_SILENT = frozenset({"title", "default", "examples", "deprecated", "readOnly", "writeOnly"})
_ONE = frozenset({"items", "additionalProperties"})
_SEVERAL = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_NAMED = frozenset({"properties", "patternProperties"})
_LOOK_AROUND = re.compile(r"(?<!\\)\(\?<?[=!]")


def schema_of(adapter: TypeAdapter[Any], name: str) -> dict[str, Any]:
    """The schema for the answers that are `name`. Raises UnsupportedType."""
    return grammatical(adapter.json_schema(schema_generator=_Generator), name)


def grammatical(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """The part of a schema that a grammar can hold. Raises UnsupportedType."""
    definitions = schema.get("$defs", {})
    walk = _Walk(name, definitions)
    grammar: dict[str, Any] = walk.node(
        {key: value for key, value in schema.items() if key != "$defs"}, ()
    )
    return grammar | ({"$defs": walk.met} if walk.met else {})


class _Generator(GenerateJsonSchema):
    """Marks what has no schema, so that the walk can say where it is."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        return {_REFUSED: schema["type"]}


class _Walk:
    """Goes through a schema; through a definition, where something refers to it."""

    def __init__(self, name: str, definitions: dict[str, Any]) -> None:
        self._name = name
        self._definitions = definitions
        self.met: dict[str, Any] = {}

    def node(self, schema: Any, path: tuple[str, ...]) -> Any:
        if schema is False:
            raise self._refusal(path, "nothing can be there")
        if not isinstance(schema, dict):
            return schema
        return self._object(cast("dict[str, Any]", schema), path)

    def _object(self, schema: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        if _REFUSED in schema:
            raise self._refusal(path, f"a {schema[_REFUSED]} cannot be written as JSON")
        kept = {
            key: self._keyword(key, value, path)
            for key, value in schema.items()
            if key not in _CHECKED_LATER
            and key not in _SILENT
            and not (key == "format" and value not in _FORMATS)
        }
        if kept.get("type") == "integer" and _BOUNDS.isdisjoint(kept):
            kept |= {"minimum": -MOST_INTEGER, "maximum": MOST_INTEGER}
        if "oneOf" in kept:  # which of them it is, the validator finds out
            kept["anyOf"] = kept.pop("oneOf")
        if "properties" in kept and "additionalProperties" not in kept:
            kept["additionalProperties"] = False
        return kept

    def _keyword(self, key: str, value: Any, path: tuple[str, ...]) -> Any:
        if key in _NAMED:
            return {name: self.node(one, (*path, name)) for name, one in value.items()}
        if key == "additionalProperties" and value is False:
            return value
        if key in _ONE:
            return self.node(value, (*path, "[]" if key == "items" else "*"))
        if key in ("anyOf", "oneOf"):
            return self._branches(value, path)
        if key in _SEVERAL:
            return [self.node(one, (*path, f"[{i}]")) for i, one in enumerate(value)]
        if key == "pattern" and _LOOK_AROUND.search(value):
            raise self._refusal(path, "a pattern with look-around cannot be held to")
        if key == "$ref":
            self._follow(value, path)
        return value

    def _follow(self, reference: str, path: tuple[str, ...]) -> None:
        name = reference.removeprefix("#/$defs/")
        if name in self.met or reference == "#":
            return
        if name not in self._definitions:
            raise self._refusal(path, f"{reference} is not in the schema")
        self.met[name] = {}  # where it refers to itself
        try:
            self.met[name] = self.node(self._definitions[name], path)
        except UnsupportedType:
            del self.met[name]
            raise

    def _branches(self, branches: list[Any], path: tuple[str, ...]) -> list[Any]:
        """Those that can be; the first refusal where none can."""
        kept: list[Any] = []
        refusals: list[UnsupportedType] = []
        for branch in branches:
            try:
                kept.append(self.node(branch, path))
            except UnsupportedType as refusal:
                refusals.append(refusal)
        if not kept and refusals:
            raise refusals[0]
        return kept

    def _refusal(self, path: tuple[str, ...], why: str) -> UnsupportedType:
        place = ".".join([self._name, *path]).replace(".[", "[")
        return UnsupportedType(
            f"{place}: {why}",
            hint="Leave that part out of the type, or give it another one.",
            param="returns",
        )
