from __future__ import annotations

from collections.abc import Iterator

import pytest
from benchmarks.figures import Figure, Samples, in_turns


def test_contestants_take_turns_and_ratios_are_of_the_same_round() -> None:
    rounds = {"ours": iter([10.0, 40.0, 9.0]), "other": iter([5.0, 10.0, 9.0])}
    order: list[str] = []

    def measure(name: str) -> Samples:
        order.append(name)
        return {"speed": next(rounds[name])}

    figures = in_turns({"ours": "ours", "other": "other"}, measure, 3, "ours")
    assert order == ["ours", "other"] * 3
    assert figures == [
        Figure("speed", "ours", 10.0, 3),
        Figure("speed", "other", 9.0, 3, ratio=2.0),
    ]


def test_measures_of_one_contestant_alone_have_no_ratio() -> None:
    def measure(values: Iterator[float]) -> Samples:
        return {"both": next(values)} if values is mine else {"both": 2.0, "own": 1.0}

    mine = iter([6.0])
    figures = in_turns({"ours": mine, "other": iter([0.0])}, measure, 1, "ours")
    assert [(figure.measure, figure.of, figure.ratio) for figure in figures] == [
        ("both", "ours", None),
        ("both", "other", 3.0),
        ("own", "other", None),
    ]


@pytest.mark.parametrize(
    ("ratio", "row"),
    [
        (None, "| speed | it | 1234 |  | 5 | `run` |"),
        (1.5, "| speed | it | 1234 | 1.50 x | 5 | `run` |"),
    ],
)
def test_a_row(ratio: float | None, row: str) -> None:
    assert Figure("speed", "it", 1234.4, 5, ratio).row("run") == row
