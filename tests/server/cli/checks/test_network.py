"""Ports that are taken, certificates that do not fit, proxies in the way."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llmaas_server.cli import listener
from llmaas_server.cli.checks import network
from llmaas_server.edge import certificates
from llmaas_server.edge.certificates import make
from llmaas_server.gateway.running import told
from support.checking import only, settings
from support.front import front


def test_a_free_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    assert only(network.port(settings(tmp_path, port=port))).state == "ok"
    assert only(network.port(settings(tmp_path, port=0))).state == "ok"


def test_a_port_that_another_program_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "PROBE_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        finding = only(network.port(settings(tmp_path, port=port)))
    assert finding.state == "wrong"
    assert "which is no llmaas server" in finding.found
    remedy = finding.remedy or ""
    assert remedy.startswith("llmaas serve --port ")
    other_port = int(remedy.rpartition(" ")[2])
    assert other_port != port
    assert only(network.port(settings(tmp_path, port=other_port))).state == "ok"


def test_a_port_of_a_running_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with front(settings(home, backend="fake")) as running:
        port = int(running.url.rpartition(":")[2])
        finding = only(network.port(settings(tmp_path / "other", port=port)))
        assert finding.state == "weak"
        assert "it has another home than this" in finding.found
        with told(home, running.url):
            finding = only(network.port(settings(home, port=port)))
    assert finding.state == "ok"
    assert "an llmaas server" in finding.found


def test_a_host_that_is_not_here(tmp_path: Path) -> None:
    finding = only(network.port(settings(tmp_path, host="192.0.2.1")))
    assert (finding.state, finding.remedy) == ("wrong", "set host to 127.0.0.1")


def certified(folder: Path, *names: str, days: int = 90) -> dict[str, Path]:
    made = make(names or ("localhost",), days)
    (folder / "cert.pem").write_bytes(made.certificate)
    (folder / "key.pem").write_bytes(made.key)
    return {"tls_cert": folder / "cert.pem", "tls_key": folder / "key.pem"}


def test_a_certificate_that_is_well_or_ends_soon(tmp_path: Path) -> None:
    assert only(network.encryption(settings(tmp_path, **certified(tmp_path)))).state == "ok"
    soon = only(network.encryption(settings(tmp_path, **certified(tmp_path, days=3))))
    assert soon.state == "weak"
    assert "SIGHUP" in (soon.remedy or "")


def test_a_certificate_that_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = certified(tmp_path)

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(days=400)

    monkeypatch.setattr(certificates, "datetime", Later)
    finding = only(network.encryption(settings(tmp_path, **files)))
    assert finding.state == "wrong"
    assert " ended on " in finding.found


def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    files = certified(tmp_path)
    (tmp_path / "key.pem").write_bytes(make(("localhost",), 90).key)
    finding = only(network.encryption(settings(tmp_path, **files)))
    assert finding.state == "wrong"
    assert "do not go together" in finding.found
    assert (finding.remedy or "").startswith("llmaas tls dev-cert")


def test_names_that_are_certified_and_not_allowed(tmp_path: Path) -> None:
    files = certified(tmp_path, "localhost", "llm.lan")
    *_, finding = network.encryption(settings(tmp_path, **files))
    assert finding.state == "weak"
    assert finding.remedy == 'set allowed_hosts = ["llm.lan"]'
    allowed = settings(tmp_path, **files, allowed_hosts=["llm.lan"])
    assert only(network.encryption(allowed)).state == "ok"


def test_reached_from_afar_without_encryption(tmp_path: Path) -> None:
    finding = only(network.encryption(settings(tmp_path, host="0.0.0.0")))
    assert finding.state == "wrong"
    assert "the server will not start" in finding.found
    proxied = settings(tmp_path, host="0.0.0.0", behind_proxy="10.0.0.1")
    assert only(network.encryption(proxied)).state == "ok"


@pytest.mark.parametrize(
    ("variables", "state"),
    [
        ({}, "ok"),
        ({"http_proxy": "http://me:hunter2@proxy:3128"}, "weak"),
        ({"http_proxy": "http://me:hunter2@proxy:3128", "no_proxy": "127.0.0.1"}, "ok"),
    ],
)
def test_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], state: str
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    finding = only(network.proxy(settings(tmp_path)))
    assert finding.state == state
    assert "hunter2" not in finding.found
    if state == "weak":
        assert finding.remedy == "export NO_PROXY=localhost,127.0.0.1,::1"


@pytest.mark.parametrize("free", [True, False])
def test_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: bool) -> None:
    with front(settings(tmp_path, backend="fake")) as running:
        url = running.url if free else "http://127.0.0.1:9"
        monkeypatch.setattr(network, "HUB", url)
        finding = only(network.hub())
    assert finding.state == ("ok" if free else "weak")
    assert url in finding.found
