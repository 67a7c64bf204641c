"""When to come back."""

from __future__ import annotations

import pytest

from llmaas_server.gateway.pace import LEAST_SECONDS, MOST_SECONDS, Pace


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


def ends(pace: Pace, clock: Seconds, count: int, every: float) -> None:
    for _ in range(count):
        pace.ended()
        clock.now += every


def test_without_any_end_it_is_the_least(clock: Seconds) -> None:
    assert Pace(clock).sent_away() == LEAST_SECONDS


@pytest.mark.parametrize(("every", "told"), [(4.0, 4), (0.5, 1), (10.0, 10), (500.0, MOST_SECONDS)])
def test_it_follows_from_the_rate(clock: Seconds, every: float, told: float) -> None:
    pace = Pace(clock)
    ends(pace, clock, 5, every)
    assert pace.sent_away() == told


def test_each_who_is_sent_away_is_told_a_later_place(clock: Seconds) -> None:
    pace = Pace(clock)
    ends(pace, clock, 10, 2.0)
    assert [pace.sent_away() for _ in range(4)] == [2, 4, 6, 8]
    pace.admitted()
    assert pace.sent_away() == 2


def test_old_times_are_forgotten(clock: Seconds) -> None:
    pace = Pace(clock)
    ends(pace, clock, 100, 30.0)
    ends(pace, clock, 100, 2.0)
    assert pace.sent_away() == 2


def test_a_server_that_stands_still_says_ever_more(clock: Seconds) -> None:
    pace = Pace(clock)
    ends(pace, clock, 10, 1.0)
    pace.admitted()
    first = pace.sent_away()
    clock.now += 100
    pace.admitted()
    assert pace.sent_away() > first
