"""Whose word for the caller's address is taken."""

from __future__ import annotations

import pytest

from llmaas_server.edge.bounds import Bounds
from support.edges import asked, edge
from support.sockets import connect

HERE = "127.0.0.1"


@pytest.mark.parametrize(
    ("proxies", "header", "client"),
    [
        (("127.0.0.1/32",), "203.0.113.7", "203.0.113.7"),
        (("127.0.0.1/32",), "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (("127.0.0.0/8", "10.0.0.0/8"), "203.0.113.7, 10.1.1.1", "203.0.113.7"),
        (("10.0.0.1/32",), "203.0.113.7", HERE),
        ((), "203.0.113.7", HERE),
    ],
)
def test_address_of_the_caller(proxies: tuple[str, ...], header: str, client: str) -> None:
    with edge(Bounds(proxies=proxies)) as url, connect(url) as raw:
        assert asked(raw, f"x-forwarded-for: {header}")["client"] == client
        assert asked(raw)["client"] == HERE


def test_the_environment_names_no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with edge(Bounds()) as url, connect(url) as raw:
        assert asked(raw, "x-forwarded-for: 203.0.113.7")["client"] == HERE


def test_scheme_that_the_caller_used() -> None:
    with edge(Bounds(proxies=("127.0.0.1/32",))) as url, connect(url) as raw:
        assert asked(raw, "x-forwarded-proto: https")["scheme"] == "https"
        assert asked(raw)["scheme"] == "http"
