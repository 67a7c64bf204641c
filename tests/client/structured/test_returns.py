"""Answers as values: what the server is asked for, and what becomes of what it says."""

from __future__ import annotations

import dataclasses
import datetime
import json
import pickle
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from llmaas_client import ChatReply, Client, errors
from llmaas_client.structured.wanted import wanted_of
from support import answers
from support.clients import KINDS, Kind
from support.talking import calls, talking

INTEGER = {"type": "integer", "minimum": 1 - 2**53, "maximum": 2**53 - 1}


class Item(BaseModel):
    name: str
    price: float = Field(ge=0)
    when: datetime.date | None = None


class Invoice(BaseModel):
    number: str = Field(alias="no")
    items: list[Item] = []


class Node(BaseModel):
    value: int
    children: list[Node] = []


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class City(TypedDict):
    name: str
    people: int


class Mood(StrEnum):
    GOOD = "praise"
    BAD = "complaint"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


@pytest.mark.parametrize(
    ("returns", "said", "value"),
    [
        (Item, '{"name": "pen", "price": 2}', Item(name="pen", price=2)),
        (
            Invoice,
            '{"no": "7", "items": [{"name": "pen", "price": 1, "when": "2024-02-29"}]}',
            Invoice(no="7", items=[Item(name="pen", price=1, when=datetime.date(2024, 2, 29))]),
        ),
        (Node, '{"value": 1, "children": [{"value": 2}]}', Node(value=1, children=[Node(value=2)])),
        (Point, '{"x": 1}', Point(1)),
        (City, '{"name": "Bern", "people": 3}', {"name": "Bern", "people": 3}),
        (Mood, "complaint", Mood.BAD),
        (Literal["a", "b"], "b", "b"),
        (Literal["a", 2], "2", 2),
        (Level, "2", Level.HIGH),
        (list[Item], '[{"name": "pen", "price": 0}]', [Item(name="pen", price=0)]),
        (Item | None, "null", None),
        (
            Annotated[Cat | Dog, Field(discriminator="kind")],
            '{"kind": "dog"}',
            Dog(kind="dog"),
        ),
        (int, "42", 42),
        (float, "4.5", 4.5),
        (bool, "true", True),
        (str, "as it is", "as it is"),
        (set[int], "[1, 2, 1]", {1, 2}),
        (tuple[int, str], '[1, "a"]', (1, "a")),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (Decimal, '"1.10"', Decimal("1.10")),
        (Path, '"a/b"', Path("a/b")),
    ],
    ids=lambda item: getattr(item, "__name__", None) or str(item)[:30],
)
def test_values(returns: Any, said: str, value: Any) -> None:
    with talking("sync", answers.chat(said)) as (either, _):
        reply = either.client.chat("x", returns=returns)
    assert reply.value == value
    assert type(reply.value) is type(value)
    assert reply.text == said


@pytest.mark.parametrize("kind", KINDS)
def test_everywhere(kind: Kind) -> None:
    said = answers.chat('{"x": 3}')
    with talking(kind, said) as (either, script):
        chat = either.client.chat
        assert either.get(chat("a", returns=Point)).value == Point(3)
        text, result = either.streamed(chat.stream("a", returns=Point))
        assert (text, result.value) == ('{"x": 3}', Point(3))
        assert either.get(chat.session().send("a", returns=Point)).value == Point(3)
    formats = [body["response_format"] for body in script.chats()]
    assert formats[0] == formats[1] == formats[2]
    assert formats[0] == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {"x": INTEGER, "y": INTEGER},
            "required": ["x"],
            "additionalProperties": False,
        },
    }


def test_several_answers_have_several_values() -> None:
    choices = [{"message": {"content": text}, "finish_reason": "stop"} for text in ("1", "2")]
    with talking("sync", answers.chat("1") | {"choices": choices}) as (either, _):
        reply = either.client.chat("x", returns=int, n=2)
    assert (reply.value, reply.values) == (1, (1, 2))


@pytest.mark.parametrize("returns", [Mood, Literal["praise", "complaint"]])
def test_texts_to_choose_from_are_no_json(returns: Any) -> None:
    wanted = wanted_of(returns)
    assert wanted is not None
    assert wanted.format == {"type": "choice", "choices": ["praise", "complaint"]}


def test_text_needs_no_format() -> None:
    with talking("sync", answers.chat("x")) as (either, script):
        either.client.chat("x", returns=str)
    assert "response_format" not in script.chats()[0]


def schema(returns: Any) -> dict[str, Any]:
    wanted = wanted_of(returns)
    assert wanted is not None
    assert wanted.format is not None
    found: dict[str, Any] = wanted.format["schema"]
    return found


def test_the_schema_has_what_grammars_hold() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(extra="allow")
        tags: set[str] = Field(description="Words.")
        code: str = Field(pattern="^[a-z]+$", min_length=2)
        count: int = Field(ge=1, lt=9)
        home: Path
        names: dict[Literal["a"], int]

    made = schema(Strict)
    assert made["additionalProperties"] is True
    assert made["properties"] == {
        "tags": {"type": "array", "items": {"type": "string"}, "description": "Words."},
        "code": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2},
        "count": {"type": "integer", "minimum": 1, "exclusiveMaximum": 9},
        "home": {"type": "string"},
        "names": {"type": "object", "additionalProperties": INTEGER},
    }


def test_a_property_may_be_called_as_a_keyword() -> None:
    class Odd(BaseModel):
        title: str
        default: int
        format: str

    assert set(schema(Odd)["properties"]) == {"title", "default", "format"}


def test_one_of_becomes_any_of() -> None:
    made = schema(Annotated[Cat | Dog, Field(discriminator="kind")])
    assert set(made) == {"anyOf", "$defs"}


class Opaque:
    pass


class Deep(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    items: list[dict[str, Callable[[], int]]]


class Looking(BaseModel):
    model_config = ConfigDict(regex_engine="python-re")
    word: str = Field(pattern=r"(?=a)b")


@pytest.mark.parametrize(
    ("returns", "says"),
    [
        (Opaque, "Opaque is no type that an answer can have"),
        (Deep, r"Deep\.items\[\]\.\*: a callable cannot be written as JSON"),
        (Looking, r"Looking\.word: a pattern with look-around"),
        (3, "3 is no type"),
        (Callable[[], int], "cannot be written as JSON"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_held_to_is_refused_before(kind: Kind, returns: Any, says: str) -> None:
    with talking(kind, answers.chat("x")) as (either, script):
        with pytest.raises(errors.UnsupportedType, match=says) as caught:
            either.get(either.client.chat("x", returns=returns))
        assert caught.value.param == "returns"
        assert script.requests == []


def test_a_branch_that_can_be_is_enough() -> None:
    assert schema(Looking | int) == {"anyOf": [INTEGER]}


def test_returns_and_response_format_exclude_each_other() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(errors.InvalidRequest):
        client.chat("x", returns=int, response_format={"type": "json"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_answer_is_an_error_with_what_came(kind: Kind) -> None:
    cut = answers.chat("12") | {"finish_reason": "length"}
    with talking(kind, cut) as (either, _):
        with pytest.raises(errors.OutputTruncated) as caught:
            either.get(either.client.chat("x", returns=int))
        assert (caught.value.partial, caught.value.request_id) == ("12", "req-1")
        with pytest.raises(errors.OutputTruncated):
            either.streamed(either.client.chat.stream("x", returns=Mood))
        talk = either.client.chat.session()
        with pytest.raises(errors.OutputTruncated):
            either.get(talk.send("x", returns=int))
        assert len(talk) == 0
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.partial, again.result) == ("12", caught.value.result)


class Even(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def _even(cls, number: int) -> int:
        if number % 2:
            raise ValueError("is odd")
        return number


def test_what_only_python_checks_is_checked() -> None:
    with talking("sync", answers.chat('{"number": 3}')) as (either, script):
        with pytest.raises(
            errors.OutputMismatch, match="no Even: number: Value error, is odd"
        ) as caught:
            either.client.chat("x", returns=Even)
        assert caught.value.text == '{"number": 3}'
        assert len(caught.value.problems) == 1
        assert len(script.requests) == 1


def test_a_call_of_tools_has_no_value_yet() -> None:
    with talking("sync", calls(("f", {}))) as (either, _):
        reply = either.client.chat("x", returns=int, tools=[{"name": "f"}])
    with pytest.raises(ValueError, match="called tools"):
        reply.value  # noqa: B018


def test_replies_survive_pickle_and_make_no_classes() -> None:
    with talking("sync", answers.chat("1")) as (either, _):
        reply = either.client.chat("x", returns=int)
    again = pickle.loads(pickle.dumps(reply))
    assert (again.value, again) == (1, reply)
    assert ChatReply[int] is ChatReply
    assert json.loads(reply.model_dump_json())["message"]["content"] == "1"


class Number(Enum):
    ONE = "1"
    TWO = 2


def test_a_mixed_enum_is_json() -> None:
    assert schema(Number) == {"enum": ["1", 2]}
