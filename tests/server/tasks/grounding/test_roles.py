"""Names in each other's place."""

from __future__ import annotations

import pytest

from llmaas_server.tasks.grounding.names import names
from llmaas_server.tasks.grounding.roles import exchanged


def test_the_other_way_round() -> None:
    sentence = "So Bob paid Alice on Monday."
    assert exchanged(sentence, names(sentence, set()), ["Alice paid Bob."]) == ("Bob", "Alice")


@pytest.mark.parametrize(
    ("sentence", "span"),
    [
        ("So Alice paid Bob.", "Alice paid Bob on Monday."),
        ("So Bob was paid by Alice.", "Alice paid Bob."),
        ("So Bob paid Alice.", "Alice was paid by Bob."),
        ("So Bob and Alice left.", "Alice and Bob left."),
        ("So Bob met Alice.", "Alice waited, and Bob came. Then Bob met Alice."),
        ("So Bob got money from Alice.", "Alice paid Bob."),
    ],
)
def test_nothing_is_exchanged(sentence: str, span: str) -> None:
    assert exchanged(sentence, names(sentence, set()), [span]) is None
