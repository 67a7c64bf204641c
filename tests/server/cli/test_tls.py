"""From `llmaas tls dev-cert` to a client that trusts it."""

from __future__ import annotations

import re
import signal
import ssl
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmaas_client import Client, ConfigurationError, ConnectionFailed
from llmaas_server.cli.tls import app
from llmaas_server.edge.certificates import Certificate
from support.front import eventually
from support.processes import process


def make(folder: Path, *names: str) -> str:
    flags = [part for name in names for part in ("--name", name)]
    done = CliRunner().invoke(app, ["dev-cert", "--folder", str(folder), *flags])
    assert done.exit_code == 0, done.output
    return done.output


def serve_flags(folder: Path) -> tuple[str, ...]:
    return ("--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem"))


def test_files_and_what_to_type(tmp_path: Path) -> None:
    said = make(tmp_path / "tls", "llm.example.org", "192.0.2.7")
    assert f"--tls-key {tmp_path / 'tls' / 'key.pem'}" in said
    assert f"LLMAAS_CA_BUNDLE={tmp_path / 'tls' / 'ca.pem'}" in said
    files = {path.name: path for path in (tmp_path / "tls").iterdir()}
    assert set(files) == {"ca.pem", "cert.pem", "key.pem"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
    assert b"PRIVATE" not in files["ca.pem"].read_bytes()
    names = Certificate.read(files["cert.pem"]).names
    assert set(names) == {"localhost", "127.0.0.1", "::1", "llm.example.org", "192.0.2.7"}


def test_names_that_cannot_be(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["dev-cert", "--folder", str(tmp_path), "--name", "bücher"])
    assert done.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_client_with_nothing_but_the_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "tls")
    monkeypatch.setenv("LLMAAS_HOME", str(tmp_path))
    monkeypatch.delenv("LLMAAS_API_KEY", raising=False)
    with process(tmp_path, "--port", "0", *serve_flags(tmp_path / "tls")) as (running, url):
        assert re.fullmatch(r"https://127\.0\.0\.1:\d+", url)
        with Client(url, ca_bundle=tmp_path / "tls" / "ca.pem") as client:
            assert client.embed("a").embeddings
        monkeypatch.setenv("LLMAAS_CA_BUNDLE", str(tmp_path / "tls" / "ca.pem"))
        with Client(url) as client:
            assert client.embed("a").embeddings
        monkeypatch.delenv("LLMAAS_CA_BUNDLE")
        with Client(url) as client, pytest.raises(ConnectionFailed, match="TLS failed"):
            client.embed("a")
        with Client(url, ca_bundle=tmp_path / "none") as client, pytest.raises(ConfigurationError):
            client.embed("a")
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0


def test_sighup_reads_the_files_again(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    make(folder)
    with process(tmp_path, "--port", "0", *serve_flags(folder)) as (running, url):
        host, port = "127.0.0.1", int(url.rpartition(":")[2])
        first = ssl.get_server_certificate((host, port))
        make(folder)
        running.send_signal(signal.SIGHUP)
        eventually(lambda: ssl.get_server_certificate((host, port)) != first, "the new one is told")
        second = ssl.get_server_certificate((host, port))
        (folder / "cert.pem").write_text("words")
        running.send_signal(signal.SIGHUP)
        assert running.stderr
        log = next(line for line in running.stderr if "stays as it was" in line)
        assert "ERROR" in log
        assert ssl.get_server_certificate((host, port)) == second
