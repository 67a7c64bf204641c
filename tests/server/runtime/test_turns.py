from __future__ import annotations

from collections import Counter

from llmaas_server.runtime.turns import Turns


def play(turns: Turns, busy: dict[int, float], rounds: int) -> list[int]:
    """`rounds` turns of lanes whose steps cost so many seconds."""
    order = []
    for _ in range(rounds):
        lane = turns.next(busy)
        assert lane is not None
        turns.charge(lane, busy[lane])
        order.append(lane)
    return order


def test_nobody_is_next_where_nobody_is_busy() -> None:
    assert Turns().next([]) is None


def test_equal_lanes_alternate() -> None:
    assert play(Turns(), {1: 1.0, 2: 1.0}, 4) == [1, 2, 1, 2]


def test_time_is_shared_and_not_turns() -> None:
    turns = Counter(play(Turns(), {1: 10.0, 2: 1.0}, 110))
    assert 9 <= turns[2] / turns[1] <= 11


def test_a_lane_that_comes_goes_next() -> None:
    turns = Turns()
    play(turns, {1: 5.0}, 3)
    assert turns.next([1, 2]) == 2


def test_a_lane_that_comes_back_has_no_credit_for_its_absence() -> None:
    turns = Turns()
    play(turns, {1: 1.0, 2: 1.0}, 2)
    play(turns, {1: 1.0}, 100)
    assert play(turns, {1: 1.0, 2: 1.0}, 6) == [2, 1, 2, 1, 2, 1]
