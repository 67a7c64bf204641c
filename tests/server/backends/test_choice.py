"""Which worker takes a call, by tables."""

from __future__ import annotations

import pytest

from llmaas_server.backends.choice import AFFINITY_SLACK, Candidate, choose

Row = tuple[str, bool, int, bool, int]
"""Name, ready, running, resident, restarts."""

CHOICES: dict[str, tuple[list[Row], str | None, str]] = {
    "the only one": ([("a", False, 9, False, 9)], None, "a"),
    "of equals the first": ([("a", True, 0, True, 0), ("b", True, 0, True, 0)], None, "a"),
    "the least loaded": ([("a", True, 2, True, 0), ("b", True, 1, False, 0)], None, "b"),
    "of equal loads the one with the model": (
        [("a", True, 1, False, 0), ("b", True, 1, True, 0)],
        None,
        "b",
    ),
    "a ready one before an idle one": (
        [("a", False, 0, False, 0), ("b", True, 7, False, 3)],
        None,
        "b",
    ),
    "none ready: who ended least often": (
        [("a", False, 0, False, 2), ("b", False, 5, False, 0)],
        None,
        "b",
    ),
    "none ready, none ended: the least loaded": (
        [("a", False, 1, False, 0), ("b", False, 0, False, 0)],
        None,
        "b",
    ),
    "restarts long ago do not count": (
        [("a", True, 0, False, 9), ("b", True, 1, False, 0)],
        None,
        "a",
    ),
    "the preferred one": ([("a", True, 0, True, 0), ("b", True, 1, False, 0)], "b", "b"),
    "the preferred one at the bound": (
        [("a", True, 1, True, 0), ("b", True, 1 + AFFINITY_SLACK, True, 0)],
        "b",
        "b",
    ),
    "not beyond it": (
        [("a", True, 1, True, 0), ("b", True, 2 + AFFINITY_SLACK, True, 0)],
        "b",
        "a",
    ),
    "not while it starts": ([("a", True, 3, True, 0), ("b", False, 0, False, 0)], "b", "a"),
    "nor when it is gone": ([("a", True, 3, True, 0)], "b", "a"),
}


@pytest.mark.parametrize(("rows", "preferred", "chosen"), CHOICES.values(), ids=CHOICES.keys())
def test_choose(rows: list[Row], preferred: str | None, chosen: str) -> None:
    assert choose([Candidate(*row) for row in rows], preferred) == chosen
