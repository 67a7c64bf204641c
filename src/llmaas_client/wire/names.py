"""Names that people give, and lists of names."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError


def _one_line(name: str) -> str:
    stripped = name.strip()
    if not stripped or not stripped.isprintable():
        raise PydanticCustomError("name", "a name is one line of visible characters")
    return stripped


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]

Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=512)]], Field(max_length=256)]
