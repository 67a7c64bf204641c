"""`llmaas doctor --security`: each check finds what it is for, and is content otherwise."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from llmaas_server.cli import security
from llmaas_server.cli.checks.finding import Finding
from llmaas_server.cli.doctor import doctor
from llmaas_server.edge.certificates import make
from llmaas_server.gateway.services import Services
from llmaas_server.settings import Settings
from support.front import front

DAY = 86400 * 1_000_000


def settings(home: Path, **values: object) -> Settings:
    return Settings.model_validate({"home": home, "cache": home / "cache", **values})


def only(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where a server was started once."""
    folder = tmp_path / "home"
    services = Services.open(settings(folder))
    services.bootstrap("http://127.0.0.1:8000")
    services.release()
    return folder


def test_before_the_first_start_all_is_well(tmp_path: Path) -> None:
    for check in security.security_checks(settings(tmp_path / "none")):
        assert {finding.state for finding in check()} == {"ok"}


def test_files(home: Path) -> None:
    assert only(security.files(settings(home))).state == "ok"
    (home / "credentials.json").chmod(0o644)
    finding = only(security.files(settings(home)))
    assert finding.state == "wrong"
    assert "credentials.json" in finding.found
    assert finding.remedy
    subprocess.run(finding.remedy, shell=True, check=True)
    assert only(security.files(settings(home))).state == "ok"


def test_encryption_key(home: Path) -> None:
    assert only(security.encryption_key(settings(home))).state == "ok"
    far = {"host": "0.0.0.0", "behind_proxy": "10.0.0.1"}
    assert only(security.encryption_key(settings(home, **far))).state == "weak"
    elsewhere = settings(home, **far, encryption_key_command="cat /somewhere")
    assert only(security.encryption_key(elsewhere)).state == "ok"


def certified(folder: Path, days: int) -> dict[str, object]:
    made = make(["localhost"], days)
    (folder / "cert.pem").write_bytes(made.certificate)
    (folder / "key.pem").write_bytes(made.key)
    return {"tls_cert": folder / "cert.pem", "tls_key": folder / "key.pem"}


def test_network(tmp_path: Path) -> None:
    def state(**values: object) -> str:
        return only(security.network(settings(tmp_path, **values))).state

    assert state() == "ok"
    assert state(host="0.0.0.0") == "wrong"
    assert state(host="server.example.org") == "wrong"
    assert state(host="0.0.0.0", behind_proxy="10.0.0.1") == "ok"
    assert state(host="0.0.0.0", behind_proxy="0.0.0.0/0") == "wrong"
    assert state(host="0.0.0.0", **certified(tmp_path, 90)) == "ok"
    assert state(host="0.0.0.0", **certified(tmp_path, 3)) == "weak"
    files = certified(tmp_path, 90)
    (tmp_path / "key.pem").write_text("words")
    assert state(host="0.0.0.0", **files) == "wrong"


@pytest.mark.parametrize(("mode", "state"), [("closed", "ok"), ("invite", "ok"), ("open", "weak")])
def test_registration(tmp_path: Path, mode: str, state: str) -> None:
    assert only(security.registration(settings(tmp_path, registration=mode))).state == state


def tamper(home: Path, statement: str, **values: int | None) -> None:
    """Change the database as one may who has the file."""
    (path,) = home.glob("*.db")
    with closing(sqlite3.connect(path)) as database, database:
        found = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (trigger,) in found.fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute(statement, values)


def change_keys(home: Path, **values: int | None) -> None:
    names = ", ".join(f"{name} = :{name}" for name in values)
    tamper(home, f"UPDATE keys SET {names}", **values)


def test_keys(home: Path) -> None:
    now = int(datetime.now(UTC).timestamp() * 1e6)
    today = now // DAY
    good: dict[str, int | None] = {
        "expires_at": now + DAY,
        "created_at": now,
        "last_used_day": today,
    }
    change_keys(home, **good)
    assert only(security.keys(settings(home))).state == "ok"
    bad: list[tuple[str, int | None, str]] = [
        ("expires_at", None, "never end"),
        ("created_at", now - 400 * DAY, "older than"),
        ("last_used_day", today - 100, "not used"),
    ]
    for name, value, says in bad:
        change_keys(home, **{**good, name: value})
        finding = only(security.keys(settings(home)))
        assert finding.state == "weak"
        assert says in finding.found
    change_keys(home, **{**good, "expires_at": None, "revoked_at": now})
    assert only(security.keys(settings(home))).state == "ok"


def test_audit_trail(home: Path) -> None:
    with front(settings(home, backend="fake")):
        pass
    assert only(security.audit_trail(settings(home))).state == "ok"
    tamper(home, "UPDATE audit SET action = 'nothing' WHERE seq = 1")
    finding = only(security.audit_trail(settings(home)))
    assert finding.state == "wrong"
    assert finding.remedy == "llmaas audit verify"


def test_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(security.versions()).state == "ok"
    monkeypatch.setattr(security, "version", lambda name: "0.1.0")
    finding = only(security.versions())
    assert finding.state == "wrong"
    assert "starlette 0.1.0 (mended in 0.49.1)" in finding.found


def test_the_command(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_HOME", str(home))
    app = typer.Typer()
    app.command()(doctor)
    done = CliRunner().invoke(app, ["--security"])
    assert done.exit_code == 0, done.output
    for what in ("files", "encryption key", "network", "registration", "keys", "audit trail"):
        assert f"{what}: " in done.output
    home.chmod(0o755)
    assert CliRunner().invoke(app, ["--security"]).exit_code == 1
