"""The address to listen on: free, loopback, and named in errors."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from llmaas_server.cli.listener import CannotListen, base_url, is_loopback, listen, version_at
from llmaas_server.settings import Settings
from support.front import front


def refusal(host: str, port: int) -> str:
    with pytest.raises(CannotListen) as raised:
        listen(host, port, is_private=False)
    message = f"{raised.value}. {raised.value.hint}"
    assert "\n" not in message
    return message


def test_free_port() -> None:
    with listen("127.0.0.1", 0, is_private=False) as sock:
        host, port = sock.getsockname()
        assert base_url(sock) == f"http://127.0.0.1:{port}"
        socket.create_connection((host, port)).close()


def test_everywhere_is_told_as_the_loopback() -> None:
    with listen("0.0.0.0", 0, is_private=True) as sock:
        assert base_url(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_other_machines_need_a_word(host: str) -> None:
    message = refusal(host, 0)
    assert "unencrypted" in message
    assert "--behind-proxy" in message


def test_port_in_use_by_anybody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        port = other.getsockname()[1]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("llmaas_server.cli.listener.PROBE_SECONDS", 0.1)
            message = refusal("127.0.0.1", port)
    assert f"port {port}" in message
    assert "--port N" in message


def test_port_in_use_by_ourselves(tmp_path: Path) -> None:
    with front(Settings(home=tmp_path, backend="fake")) as running:
        port = int(running.url.rpartition(":")[2])
        assert version_at("127.0.0.1", port)
        assert "an llmaas server" in refusal("127.0.0.1", port)


def test_unknown_host() -> None:
    assert "no.such.host.invalid" in refusal("no.such.host.invalid", 0)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback
