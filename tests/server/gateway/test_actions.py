"""The page on access says what there is."""

from __future__ import annotations

from pathlib import Path

from llmaas_client.wire.keys import PATTERN
from llmaas_server.gateway.actions import OPERATOR, OWN

PAGE = Path(__file__).parents[3] / "docs" / "concepts" / "security.md"


def test_every_action_is_described_where_it_belongs() -> None:
    _, own, operators = PAGE.read_text("utf-8").split("| action |")
    for text, actions in ((own, OWN), (operators, OPERATOR)):
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        assert rows == [f"| `{action}` | {meaning} |" for action, meaning in actions.items()]


def test_the_pattern_of_keys_is_published() -> None:
    assert PATTERN in PAGE.read_text("utf-8").splitlines()
