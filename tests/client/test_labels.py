from __future__ import annotations

from enum import Enum, IntEnum, StrEnum
from typing import Any, Literal

import pytest

from llmaas_client.labels import to_wire


class Mood(StrEnum):
    GOOD = "praise"
    BAD = "complaint"


class Plain(Enum):
    GOOD = "praise"
    BAD = "complaint"


class Number(IntEnum):
    ONE = 1
    TWO = 2


@pytest.mark.parametrize(
    ("labels", "wire"),
    [
        (["a", "b"], ["a", "b"]),
        (("a", "b"), ["a", "b"]),
        ({"a": "first", "b": "second"}, {"a": "first", "b": "second"}),
        (Mood, ["praise", "complaint"]),
        (Plain, ["praise", "complaint"]),
        (Number, ["ONE", "TWO"]),
        (Literal["a", "b"], ["a", "b"]),
        ([Mood.GOOD, Mood.BAD], ["praise", "complaint"]),
        ("a,b", "a,b"),
        (7, 7),
    ],
)
def test_labels_as_the_wire_has_them(labels: Any, wire: Any) -> None:
    found = to_wire(labels)
    assert found == wire
    assert type(found) is type(wire)


def test_an_enum_leads_back() -> None:
    assert [Mood(label) for label in to_wire(Mood)] == list(Mood)
    assert [Number[label] for label in to_wire(Number)] == list(Number)
