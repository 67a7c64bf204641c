"""How many at once: decisions in plain data."""

from __future__ import annotations

import pytest

from llmaas_client.batch.limiter import FIRST, Limiter
from llmaas_client.batch.work import MOST_AT_ONCE


def test_a_round_of_good_answers_adds_one() -> None:
    limiter = Limiter("auto")
    assert limiter.limit == FIRST
    for _ in range(FIRST + 1):
        limiter.answered(0.0, 1.0, queued=0.0, worked=0.1)
    assert limiter.limit == FIRST + 1


def test_there_is_an_end_to_more() -> None:
    limiter = Limiter("auto")
    for _ in range(5_000):
        limiter.answered(0.0, 1.0, queued=0.0, worked=0.1)
    assert limiter.limit == MOST_AT_ONCE


def test_a_refusal_halves_and_counts_once_for_those_that_were_sent_together() -> None:
    limiter = Limiter(16)
    limiter.refused(sent_at=1.0, now=2.0)
    limiter.refused(sent_at=1.5, now=2.1)
    assert limiter.limit == 8
    limiter.refused(sent_at=2.5, now=3.0)
    assert limiter.limit == 4


def test_never_below_one() -> None:
    limiter = Limiter("auto")
    for at in range(100):
        limiter.refused(sent_at=float(at), now=at + 0.5)
    assert limiter.limit == 1


@pytest.mark.parametrize(
    ("queued", "worked", "fewer"),
    [(0.4, 0.01, False), (5.0, 10.0, False), (5.0, 1.0, True)],
)
def test_long_waits_in_the_queue_lower_it(queued: float, worked: float, fewer: bool) -> None:
    limiter = Limiter("auto")
    limiter.answered(1.0, 2.0, queued, worked)
    assert (limiter.limit < FIRST) is fewer


def test_a_number_is_lowered_and_never_raised() -> None:
    limiter = Limiter(3)
    for _ in range(100):
        limiter.answered(0.0, 1.0, queued=0.0, worked=0.1)
    assert limiter.limit == 3
