"""Functions as tools: schemas from types, descriptions from docstrings."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal, TypedDict

import pytest
from pydantic import BaseModel, Field, ValidationError

from llmaas_client import FunctionTool, errors
from llmaas_client.tools import docstrings


class Place(BaseModel):
    city: str


def search(
    query: str,
    where: Place,
    *,
    unit: Literal["km", "mi"] = "km",
    most: Annotated[int, Field(ge=1, le=5, description="How many.")] = 3,
) -> list[str]:
    """Find something.

    It may take a while.

    Args:
        query: What to look for,
            in words.
        where (Place): Near what.
    """
    return [query]


def test_schema_and_descriptions() -> None:
    tool = FunctionTool(search)
    assert (tool.name, tool.description) == ("search", "Find something.\n\nIt may take a while.")
    properties = tool.parameters["properties"]
    assert properties["query"] == {"type": "string", "description": "What to look for, in words."}
    assert properties["unit"] == {"type": "string", "enum": ["km", "mi"]}
    assert properties["most"]["description"] == "How many."
    assert (properties["most"]["minimum"], properties["most"]["maximum"]) == (1, 5)
    assert properties["where"]["$ref"] == "#/$defs/Place"
    assert tool.parameters["required"] == ["query", "where"]


def test_arguments_become_values() -> None:
    bound = FunctionTool(search).bind({"query": "a", "where": {"city": "Bern"}})
    assert bound == {"query": "a", "where": Place(city="Bern"), "unit": "km", "most": 3}
    with pytest.raises(ValidationError):
        FunctionTool(search).bind({"query": "a", "where": {"city": "Bern"}, "most": 9})


class Shop:
    def price(self, item: str) -> float:
        """The price."""
        return 1.0

    def __call__(self, item: str) -> float:
        """Call the shop."""
        return 2.0

    @classmethod
    def count(cls) -> int:
        return 3


def test_methods_and_objects() -> None:
    shop = Shop()
    assert list(FunctionTool(shop.price).parameters["properties"]) == ["item"]
    assert FunctionTool(shop.count).parameters["properties"] == {}
    with pytest.raises(errors.ConfigurationError, match="no name"):
        FunctionTool(shop)
    tool = FunctionTool(shop, name="shop", description="A shop.")
    assert (tool.name, tool.description, tool.is_async) == ("shop", "A shop.", False)
    assert tool.bind({"item": "a"}) == {"item": "a"}


def test_a_decorated_function_is_that_function() -> None:
    @functools.wraps(search)
    def logged(*args: Any, **kwargs: Any) -> Any:
        return search(*args, **kwargs)

    assert FunctionTool(logged).parameters == FunctionTool(search).parameters


def untyped(x) -> None:  # type: ignore[no-untyped-def]
    pass


def starred(*words: str) -> None:
    pass


def doubly(**words: str) -> None:
    pass


def positional(x: int, /) -> None:
    pass


def odd(x: Shop) -> None:
    pass


def unknown(x: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
    pass


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (untyped, "'x' has no type"),
        (starred, "no name to give it by"),
        (doubly, "no name to give it by"),
        (positional, "no name to give it by"),
        (odd, "no type that an answer can have|Shop"),
        (unknown, "Nowhere"),
    ],
)
def test_what_cannot_be_a_tool(function: Any, says: str) -> None:
    with pytest.raises(errors.UnsupportedType, match=says):
        FunctionTool(function)
    with pytest.raises(errors.ConfigurationError, match="no name"):
        FunctionTool(lambda: 1)


class Row(TypedDict):
    a: int


def typed_dict(row: Row) -> None:
    pass


def test_typed_dicts() -> None:
    assert FunctionTool(typed_dict).bind({"row": {"a": 1}}) == {"row": {"a": 1}}


GOOGLE = """A.

Args:
    x (int, optional): The x:
        of all.
    y: The y.

Returns:
    z: no.
"""
NUMPY = """A.

Parameters
----------
x : int
    The x:
    of all.
y
    The y.

Returns
-------
int
"""
SPHINX = """A.

:param x: The x:
    of all.
:param int y: The y.
:returns: no
"""


@pytest.mark.parametrize(
    ("text", "description", "meanings"),
    [
        (None, "", {}),
        ("One line.", "One line.", {}),
        (GOOGLE, "A.", {"x": "The x: of all.", "y": "The y."}),
        (NUMPY, "A.", {"x": "The x: of all.", "y": "The y."}),
        (SPHINX, "A.", {"x": "The x: of all.", "y": "The y."}),
        ("Note: this is text.\n\nMore of it.", "Note: this is text.\n\nMore of it.", {}),
    ],
)
def test_docstrings(text: str | None, description: str, meanings: dict[str, str]) -> None:
    assert docstrings.read(text) == (description, meanings)
