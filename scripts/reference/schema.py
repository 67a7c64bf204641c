"""JSON schema in words."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minLength": "at least {} characters long",
    "maxLength": "at most {} characters long",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "matches `{}`",
}


def kind(schema: Schema) -> str:
    """`list of text, at most 1024 items`."""
    bounds = [words.format(schema[key]) for key, words in BOUNDS.items() if key in schema]
    if "default" in schema and schema["default"] is not None:
        bounds.append(f"default `{schema['default']}`")
    return ", ".join([plain_kind(schema), *bounds])


def plain_kind(schema: Schema) -> str:
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if branches := schema.get("anyOf"):
        return " or ".join(kind(branch) for branch in branches)
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else None):
        return " or ".join(f"`{choice}`" for choice in choices)
    if schema.get("type") == "array":
        return f"list of {kind(schema['items'])}" if schema.get("items") else "list"
    if isinstance(values := schema.get("additionalProperties"), dict):
        return f"object of {kind(values)}"
    names = {"string": "text", "boolean": "true or false", "null": "null"}
    name = schema.get("type", "anything")
    return names.get(name, name)
