"""Buckets, refusals and how long to wait, as arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmaas_server.gateway.clock import MINUTE, SECOND
from llmaas_server.gateway.limits import (
    BUSY,
    Bucket,
    RateLimit,
    Standing,
    rates,
    refuse_request,
    refuse_tokens,
)
from llmaas_server.storage.values import Limits, Owner

KEY, ACCOUNT = Owner("key", "k"), Owner("account", "a")


def bucket(limit: int, taken: int = 0) -> Bucket:
    return Bucket.full(limit, 0).less(taken)


def test_a_bucket_fills_evenly() -> None:
    empty = bucket(60, 60)
    assert (empty.remaining, empty.until_full) == (0, MINUTE)
    assert empty.wait_for(1) == SECOND
    assert empty.refilled(60, SECOND - 1).remaining == 0
    assert empty.refilled(60, SECOND).remaining == 1
    assert empty.refilled(60, 10 * MINUTE) == Bucket.full(60, 10 * MINUTE)


def test_a_changed_limit_holds_at_once() -> None:
    assert bucket(60).refilled(10, 0).remaining == 10
    assert bucket(10).refilled(60, 0).remaining == 10
    assert bucket(10, 10).refilled(60, MINUTE // 2).remaining == 30


@given(
    st.integers(1, 10**9),
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(1, 10**9)), max_size=20),
)
def test_the_wait_is_exact(limit: int, events: list[tuple[int, int]]) -> None:
    """One microsecond earlier there is not enough, and then there is."""
    now, state = 0, Bucket.full(limit, 0)
    for pause, amount in events:
        now += pause
        state = state.refilled(limit, now)
        amount = min(amount, limit)
        if wait := state.wait_for(amount):
            assert state.refilled(limit, now + wait - 1).wait_for(amount) > 0
            now += wait
            state = state.refilled(limit, now)
        assert state.wait_for(amount) == 0
        state = state.less(amount)
        assert 0 <= state.level <= limit * MINUTE


@given(
    st.integers(1, 1000), st.lists(st.tuples(st.integers(0, MINUTE), st.booleans()), max_size=60)
)
def test_no_minute_and_no_other_stretch_exceeds_the_limit(
    limit: int, events: list[tuple[int, bool]]
) -> None:
    """In any stretch of time no more is let through than a full bucket and what flowed in."""
    now, state = 0, Bucket.full(limit, 0)
    taken: list[int] = []
    for pause, whole in events:
        now += pause
        state = state.refilled(limit, now)
        amount = state.remaining if whole else min(1, state.remaining)
        state = state.less(amount)
        taken += [now] * amount
    for index, start in enumerate(taken):
        stretch = now - start
        assert len(taken) - index <= limit + limit * stretch // MINUTE + 1


@pytest.mark.parametrize(
    ("standings", "refused"),
    [
        ([], None),
        ([Standing(KEY, Limits())], None),
        ([Standing(KEY, Limits(concurrency=2), running=1)], None),
        ([Standing(KEY, Limits(concurrency=2), running=2)], (KEY, BUSY)),
        ([Standing(KEY, Limits(concurrency=0))], (KEY, BUSY)),
        ([Standing(KEY, Limits(), requests=bucket(60))], None),
        ([Standing(KEY, Limits(), requests=bucket(60, 60))], (KEY, SECOND)),
        (
            [
                Standing(KEY, Limits(), requests=bucket(60, 60)),
                Standing(ACCOUNT, Limits(), requests=bucket(6, 6)),
            ],
            (ACCOUNT, 10 * SECOND),  # after the shorter wait it would be refused again
        ),
        ([Standing(KEY, Limits(), requests=bucket(0))], (KEY, None)),
    ],
)
def test_requests(standings: list[Standing], refused: tuple[Owner, int | None] | None) -> None:
    refusal = refuse_request(standings)
    assert (refusal and (refusal.owner, refusal.wait)) == refused


def test_tokens() -> None:
    standings = [
        Standing(KEY, Limits(), tokens=bucket(100)),
        Standing(ACCOUNT, Limits(), tokens=bucket(1000, 990)),
    ]
    assert refuse_tokens(standings, 10) is None
    short = refuse_tokens(standings, 11)
    assert short is not None
    assert (short.owner, short.wait) == (ACCOUNT, MINUTE // 1000)
    never = refuse_tokens(standings, 101)
    assert never is not None
    assert (never.owner, never.wait) == (KEY, None)


def test_headers_have_every_rate_of_every_owner() -> None:
    assert rates([Standing(KEY, Limits())]) == []
    assert rates(
        [
            Standing(KEY, Limits(), requests=bucket(60, 58), tokens=bucket(600, 6)),
            Standing(ACCOUNT, Limits(), requests=bucket(1000, 1)),
        ]
    ) == [
        RateLimit("key-requests", 60, 2, 58),
        RateLimit("key-tokens", 600, 594, 1),
        RateLimit("account-requests", 1000, 999, 1),
    ]
