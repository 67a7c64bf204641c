"""Who is let in, and that everything taken is given back."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llmaas_server.errors import Problem
from llmaas_server.gateway import limiter
from llmaas_server.gateway.clock import MINUTE, SECOND
from llmaas_server.gateway.limiter import Limiter, Ticket
from llmaas_server.gateway.limits import RateLimit
from llmaas_server.storage.values import Limits, Owner
from support.clocks import ManualClock

KEY, ACCOUNT = Owner("key", "k"), Owner("account", "a")


def refusal(context: AbstractContextManager[Ticket]) -> Problem:
    with pytest.raises(Problem) as caught, context:
        pass
    return caught.value


def test_requests_per_minute() -> None:
    clock = ManualClock()
    door = Limiter(clock)
    limited = [(KEY, Limits(requests_per_minute=2))]
    with door.admit(limited):
        assert door.rates(limited) == [RateLimit("key-requests", 2, 1, 30)]
    with door.admit(limited):
        pass
    problem = refusal(door.admit(limited))
    assert (problem.code, problem.retry_after) == ("rate_limited", 30.0)
    clock.advance(30 * SECOND - 1)
    assert refusal(door.admit(limited)).retry_after == 0.000001
    clock.advance(1)
    with door.admit(limited):
        pass


def test_nothing_is_taken_where_one_of_several_refuses() -> None:
    door = Limiter(ManualClock())
    key = (KEY, Limits(requests_per_minute=5))
    full = (ACCOUNT, Limits(concurrency=0))
    for _ in range(10):
        assert refusal(door.admit([key, full])).code == "rate_limited"
    [rate] = door.rates([key])
    assert rate.remaining == 5


def test_places_come_back() -> None:
    door = Limiter(ManualClock())
    limited = [(KEY, Limits(concurrency=1))]
    with door.admit(limited):
        assert "at the same time" in refusal(door.admit(limited)).message
    with pytest.raises(ValueError, match="failed"), door.admit(limited):
        raise ValueError("failed")
    with door.admit(limited):
        pass


def test_unused_tokens_come_back() -> None:
    door = Limiter(ManualClock())
    limited = [(KEY, Limits(tokens_per_minute=100))]
    with door.admit(limited) as ticket:
        ticket.reserve(80)
        ticket.used = 30
        with door.admit(limited) as other, pytest.raises(Problem) as caught:
            other.reserve(30)
        assert caught.value.code == "rate_limited"
    with door.admit(limited) as ticket:
        ticket.reserve(70)
        with pytest.raises(Problem):
            ticket.reserve(1)


def test_more_tokens_than_the_limit_itself() -> None:
    door = Limiter(ManualClock())
    with (
        pytest.raises(Problem) as caught,
        door.admit([(KEY, Limits(tokens_per_minute=100))]) as ticket,
    ):
        ticket.reserve(101)
    assert caught.value.code == "invalid_request"  # waiting would not help


def test_limits_that_change_while_a_call_runs() -> None:
    door = Limiter(ManualClock())
    new = [(KEY, Limits(requests_per_minute=1, concurrency=2))]
    with door.admit([(KEY, Limits())]), door.admit(new):
        pass
    assert refusal(door.admit(new)).code == "rate_limited"


def test_owners_who_use_nothing_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "FEW", 10)
    clock = ManualClock()
    door = Limiter(clock)
    for number in range(100):
        with door.admit([(Owner("key", str(number)), Limits(requests_per_minute=60))]):
            clock.advance(SECOND)
    assert len(door._standings) < 25


class Door(RuleBasedStateMachine):
    """Any order of calls, ends and pauses, against a plain count of what happened."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.door = Limiter(self.clock)
        self.limits = Limits(requests_per_minute=6, tokens_per_minute=100, concurrency=3)
        self.limited = [(KEY, self.limits), (ACCOUNT, Limits(concurrency=2))]
        self.inside: list[tuple[AbstractContextManager[Ticket], Ticket]] = []
        self.admitted: list[int] = []

    @rule(tokens=st.integers(1, 60))
    def call(self, tokens: int) -> None:
        context = self.door.admit(self.limited)
        try:
            ticket = context.__enter__()
        except Problem:
            return
        self.admitted.append(self.clock())
        self.inside.append((context, ticket))
        try:
            ticket.reserve(tokens)
        except Problem:
            self.leave(-1, 0)

    @precondition(lambda self: self.inside)
    @rule(index=st.integers(0, 5), used=st.integers(0, 60))
    def leave(self, index: int, used: int) -> None:
        context, ticket = self.inside.pop(index % len(self.inside))
        ticket.used = used
        context.__exit__(None, None, None)

    @rule(micros=st.integers(1, MINUTE))
    def wait(self, micros: int) -> None:
        self.clock.advance(micros)

    @rule()
    def retry_after_is_enough(self) -> None:
        try:
            with self.door.admit([self.limited[0]]):
                self.admitted.append(self.clock())
                return
        except Problem as problem:
            if "at the same time" in problem.message:
                return
            self.clock.advance(round((problem.retry_after or 0) * SECOND))
        with self.door.admit([self.limited[0]]):
            self.admitted.append(self.clock())

    @invariant()
    def places_are_counted(self) -> None:
        assert len(self.inside) <= 2
        standing = self.door._standings.get(ACCOUNT)
        assert (standing.running if standing else 0) == len(self.inside)

    @invariant()
    def no_minute_has_more_requests_than_two_buckets(self) -> None:
        now = self.clock()
        recent = [at for at in self.admitted if now - at < MINUTE]
        assert len(recent) <= 2 * 6

    def teardown(self) -> None:
        while self.inside:
            self.leave(0, 0)
        self.clock.advance(MINUTE)
        with self.door.admit(self.limited) as ticket:
            ticket.reserve(100)  # after a minute without calls everything is there again


TestDoor = Door.TestCase
TestDoor.settings = settings(max_examples=60, stateful_step_count=40)
