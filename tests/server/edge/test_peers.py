"""Who may connect."""

from __future__ import annotations

from llmaas_server.edge.peers import Peers


def test_connections_are_counted_by_address() -> None:
    peers = Peers((), 2)
    assert [peers.enter("192.0.2.1") for _ in range(2)] == [None, None]
    refused = peers.enter("192.0.2.1")
    assert refused is not None
    assert refused.code == "rate_limited"
    assert peers.enter("192.0.2.2") is None
    peers.leave("192.0.2.1")
    assert peers.enter("192.0.2.1") is None


def test_nothing_is_kept_of_those_who_left() -> None:
    peers = Peers((), 1)
    for number in range(256):
        assert peers.enter(f"192.0.2.{number}") is None
        peers.leave(f"192.0.2.{number}")
        assert peers.count(f"192.0.2.{number}") == 0


def test_behind_a_proxy_only_it_and_this_machine_may_connect() -> None:
    peers = Peers(("10.1.0.0/16", "fd00::/8"), 1)
    for address in ("10.1.2.3", "fd00::1", "127.0.0.1", "::1", "::ffff:10.1.2.3"):
        assert peers.enter(address) is None, address
    for address in ("10.2.0.1", "192.0.2.1", "fe80::1%eth0", "::ffff:192.0.2.1"):
        refused = peers.enter(address)
        assert refused is not None, address
        assert "behind_proxy" in (refused.hint or "")


def test_proxies_carry_many() -> None:
    peers = Peers(("10.1.0.1/32",), 1)
    assert [peers.enter("10.1.0.1") for _ in range(10)] == [None] * 10


def test_of_ipv6_a_network_is_one_caller() -> None:
    peers = Peers((), 2)
    assert peers.enter("2001:db8::1") is None
    assert peers.enter("2001:db8::2") is None
    assert peers.enter("2001:db8::3") is not None
    assert peers.enter("2001:db8:0:1::1") is None
    peers.leave("2001:db8::1")
    assert peers.count("2001:db8::9") == 1
