"""`after` and `limit` of lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmaas_server.errors import Problem

from .endpoint import Parameter

MOST_DIGITS = 18
TEXT: Mapping[str, Any] = {"type": "string"}


def parameters(
    what: str, usual: int, most: int, after: Mapping[str, Any] = TEXT
) -> tuple[Parameter, Parameter]:
    """As a list of `what` declares them; `after` is the schema of what a page begins after."""
    return (
        Parameter("after", "What the page begins after: `next` of the page before.", after),
        Parameter(
            "limit",
            f"Most {what} in the page.",
            {"type": "integer", "minimum": 1, "maximum": most, "default": usual},
        ),
    )


def numbers(most: int) -> Mapping[str, Any]:
    """The schema of an `after` that is a number of a row."""
    return {"type": "integer", "minimum": 0, "maximum": most}


def limit_of(query: Mapping[str, str], usual: int, most: int) -> int:
    """Raises Problem `invalid_request`."""
    return number_of(query, "limit", usual, least=1, most=most)


def number_of(query: Mapping[str, str], name: str, usual: int, *, least: int, most: int) -> int:
    """A whole number behind the `?`. Raises Problem `invalid_request`."""
    text = query.get(name)
    if text is None:
        return usual
    digits = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    if not digits or not least <= int(text) <= most:
        raise Problem(
            "invalid_request", f"{name} is not a number from {least} to {most}", param=name
        )
    return int(text)
