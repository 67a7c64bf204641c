"""Tries are counted by address, within bounded memory."""

from __future__ import annotations

import pytest

from llmaas_server.errors import Problem
from llmaas_server.gateway.clock import SECOND
from llmaas_server.gateway.strangers import Strangers, network_of
from support.clocks import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_too_many_tries(clock: ManualClock) -> None:
    strangers = Strangers(clock, per_minute=3)
    for _ in range(3):
        strangers.take("a")
    with pytest.raises(Problem) as raised:
        strangers.take("a")
    assert raised.value.code == "rate_limited"
    assert raised.value.retry_after == 20
    strangers.take("b")
    clock.advance(20 * SECOND)
    strangers.take("a")


def test_good_tries_cost_nothing(clock: ManualClock) -> None:
    strangers = Strangers(clock, per_minute=1)
    for _ in range(10):
        strangers.take("a")
        strangers.give_back("a")


def test_memory_is_bounded(clock: ManualClock) -> None:
    strangers = Strangers(clock, per_minute=1, most=10)
    for number in range(1000):
        strangers.take(str(number))
    assert len(strangers) == 10
    with pytest.raises(Problem):
        strangers.take("999")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_networks(address: str | None, network: str) -> None:
    assert network_of(address) == network
