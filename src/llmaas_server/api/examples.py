"""Examples of requests and answers, as a server gave them to `scripts/record-examples`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import TypeAdapter

FILE = "examples.json"


@dataclass(frozen=True, slots=True)
class Example:
    """Of one operation."""

    path: Mapping[str, str] = field(default_factory=dict)
    """What stands in the braces of the address."""
    query: Mapping[str, str] = field(default_factory=dict)
    """What stands behind the `?`."""
    request: Any = None
    answer: Any = None
    """JSON, or text; None where there is no answer that means anything elsewhere."""
    stream: str | None = None
    """The answer to the same request with `stream`: its events as they are sent, some left out."""


@cache
def examples() -> Mapping[str, Example]:
    """Operation id -> its example."""
    text = files(__package__).joinpath(FILE).read_text("utf-8")
    return TypeAdapter(dict[str, Example]).validate_python(json.loads(text))
