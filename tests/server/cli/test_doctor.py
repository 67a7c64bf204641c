"""`llmaas doctor`: all checks in order, one line each, and an exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from llmaas_server.cli import checks
from llmaas_server.cli.checks import network
from llmaas_server.cli.checks.finding import Finding, State, guarded
from llmaas_server.cli.doctor import doctor
from llmaas_server.gateway.kek import KeychainError
from support.checking import only, settings, started_once


def run(*flags: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(doctor)
    done = CliRunner().invoke(app, list(flags))
    return done.exit_code, done.output


def finding_of(monkeypatch: pytest.MonkeyPatch, state: State) -> None:
    finding = Finding("thing", state, "as found", "do this")
    monkeypatch.setattr(checks, "all_checks", lambda s, with_network: [lambda: iter([finding])])


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("weak", 0), ("wrong", 1)])
def test_exit_code(monkeypatch: pytest.MonkeyPatch, state: State, code: int) -> None:
    finding_of(monkeypatch, state)
    exit_code, output = run()
    assert exit_code == code
    assert "thing: as found" in output
    assert "-> do this" in output


def test_json(monkeypatch: pytest.MonkeyPatch) -> None:
    finding_of(monkeypatch, "wrong")
    exit_code, output = run("--json")
    assert exit_code == 1
    assert json.loads(output) == [
        {"what": "thing", "state": "wrong", "found": "as found", "remedy": "do this"}
    ]


def test_network_is_asked_for_on_demand(tmp_path: Path) -> None:
    without = checks.all_checks(settings(tmp_path), with_network=False)
    assert network.hub not in without
    assert network.hub in checks.all_checks(settings(tmp_path), with_network=True)


def test_everything_of_a_home_that_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_HOME", str(started_once(tmp_path / "home")))
    monkeypatch.setenv("LLMAAS_BACKEND", "fake")
    monkeypatch.setenv("LLMAAS_PORT", "0")
    code, output = run()
    assert code == 0, output
    for what in ("python", "torch", "gpu", "settings", "home", "database", "port", "server"):
        assert f"{what}: " in output


def test_settings_that_cannot_be_read_are_a_finding_beside_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "llmaas.toml"
    file.write_text('prot = 1\nencryption_key = "c2VjcmV0"\n')
    code, output = run("--config", str(file))
    assert code == 1
    assert f"wrong settings: {file}: there is no setting 'prot'; similar: port" in output
    assert f"-> change it there: ${{EDITOR:-vi}} {file}" in output
    assert "torch: " in output
    assert "c2VjcmV0" not in output
    monkeypatch.setenv("LLMAAS_PORT", "many")
    code, output = run()
    assert code == 1
    assert "-> set LLMAAS_PORT to what is expected, or type: unset LLMAAS_PORT" in output
    assert run("--config", "/no/such/file")[0] == 1


def test_a_secret_of_the_wrong_kind_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "llmaas.toml"
    file.write_text('database_url = ["postgresql://me:hunter2@db/x"]\n')
    code, output = run("--config", str(file))
    assert code == 1
    assert "database_url: Input should be a valid string" in output
    assert "hunter2" not in output


def test_a_check_that_fails_is_a_finding_without_its_text() -> None:
    def a_thing() -> Iterator[Finding]:
        yield Finding("first", "ok", "fine")
        raise ValueError("the password is hunter2")

    def another(of: str) -> Iterator[Finding]:
        raise KeychainError(f"no key in {of}: bring it back")
        yield

    first, second = guarded(a_thing)
    assert first.state == "ok"
    assert (second.what, second.state) == ("a thing", "wrong")
    assert second.found.startswith("cannot be looked at: ValueError in test_doctor.py, line ")
    assert "hunter2" not in second.found
    assert only(guarded(partial(another, "x"))).found == "no key in x: bring it back"
