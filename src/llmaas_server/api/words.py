"""JSON schema in words, for people: `list (1 to 1024 items) of text`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from llmaas_client.wire.errors import ERRORS

from .schemas import Schema

_NAMES = {"string": "text", "boolean": "true or false"}
_RANGES = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words, a value as it is written, or the name of a shape that is described elsewhere."""

    text: str
    role: Literal["words", "code", "shape", "codes"] = "words"
    """`codes` are all codes of errors."""


def words_of(schema: Schema) -> list[Piece]:
    """What a value may be, and within which limits."""
    return list(_words(schema))


def _words(schema: Schema) -> Iterator[Piece]:
    limits = _limits(schema)
    if schema.get("type") == "array" and schema.get("items"):
        yield Piece("list")
        yield from _bracket(limits)
        yield Piece(" of ")
        yield from _words(schema["items"])
    else:
        yield from _plain(schema)
        yield from _bracket(limits)


def _bracket(limits: list[list[Piece]]) -> Iterator[Piece]:
    if limits:
        yield Piece(" (")
        yield from _joined(limits, ", ")
        yield Piece(")")


def _plain(schema: Schema) -> Iterator[Piece]:
    if reference := schema.get("$ref"):
        yield Piece(reference.rpartition("/")[2], "shape")
    elif branches := schema.get("anyOf") or schema.get("oneOf"):
        yield from _joined([words_of(branch) for branch in branches], " or ")
    elif choices := _choices(schema):
        if set(choices) == set(ERRORS):
            yield Piece("a code", "codes")
        else:
            yield from _joined([[Piece(choice, "code")] for choice in choices], " or ")
    elif isinstance(values := schema.get("additionalProperties"), dict):
        yield Piece("object of ")
        yield from _words(values)
    else:
        plain: str = schema.get("type", "anything")
        yield Piece(_NAMES.get(plain, plain))


def _choices(schema: Schema) -> list[str]:
    """Texts as they are, all else as JSON."""
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return [one if isinstance(one, str) else json.dumps(one) for one in choices]


def _joined(parts: list[list[Piece]], between: str) -> Iterator[Piece]:
    for number, part in enumerate(parts):
        if number:
            yield Piece(between)
        yield from part


def _limits(schema: Schema) -> list[list[Piece]]:
    found = [[Piece(text)] for text in _ranges(schema)]
    if schema.get("default") not in (None, []) and "const" not in schema:
        found.append([Piece("default "), Piece(json.dumps(schema["default"]), "code")])
    return found


def _ranges(schema: Schema) -> Iterator[str]:
    for low, high, unit in _RANGES:
        least, most = schema.get(low), schema.get(high)
        if least is not None and most is not None:
            yield f"{least:.9g} to {most:.9g}{unit}"
        elif least is not None:
            yield f"at least {least:.9g}{unit}"
        elif most is not None:
            yield f"at most {most:.9g}{unit}"
    if "exclusiveMinimum" in schema:
        yield f"above {schema['exclusiveMinimum']:g}"
    if "exclusiveMaximum" in schema:
        yield f"below {schema['exclusiveMaximum']}"
