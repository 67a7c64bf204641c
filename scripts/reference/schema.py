"""JSON schema in words."""

from __future__ import annotations

import json
from typing import Any

from llmaas_client.wire.errors import ERRORS

Schema = dict[str, Any]

_NAMES = {"string": "text", "boolean": "true or false"}
_RANGES = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
)


def kind(schema: Schema) -> str:
    """`list (1 to 1024 items) of text`."""
    limits = _limits(schema)
    bracket = f" ({', '.join(limits)})" if limits else ""
    if schema.get("type") == "array" and schema.get("items"):
        return f"list{bracket} of {kind(schema['items'])}"
    return _plain(schema) + bracket


def _plain(schema: Schema) -> str:
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if branches := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(kind(branch) for branch in branches)
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else None):
        if set(choices) == set(ERRORS):
            return "[a code](errors.md)"
        return " or ".join(f"`{choice}`" for choice in choices)
    if isinstance(values := schema.get("additionalProperties"), dict):
        return f"object of {kind(values)}"
    plain: str = schema.get("type", "anything")
    return _NAMES.get(plain, plain)


def _limits(schema: Schema) -> list[str]:
    found = []
    for low, high, unit in _RANGES:
        least, most = schema.get(low), schema.get(high)
        if least is not None and most is not None:
            found.append(f"{least:.9g} to {most:.9g}{unit}")
        elif least is not None:
            found.append(f"at least {least:.9g}{unit}")
        elif most is not None:
            found.append(f"at most {most:.9g}{unit}")
    if "exclusiveMinimum" in schema:
        found.append(f"above {schema['exclusiveMinimum']:g}")
    if "exclusiveMaximum" in schema:
        found.append(f"below {schema['exclusiveMaximum']}")
    if schema.get("default") not in (None, []) and "const" not in schema:
        found.append(f"default `{json.dumps(schema['default'])}`")
    return found
