"""Databases and keys that are damaged, gone, of another version, or out of reach."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from llmaas_server.cli.checks import state
from llmaas_server.gateway.services import Services
from support.checking import found, only, settings, started_once


def change(home: Path, statement: str) -> None:
    with closing(sqlite3.connect(home / "llmaas.db")) as database, database:
        database.execute(statement)


def test_none_yet(tmp_path: Path) -> None:
    assert only(state.database(settings(tmp_path))).found.startswith("none yet")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "llmaas.db").touch()
    assert only(state.database(settings(tmp_path))).found.startswith("none yet")


def test_held_by_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmaas_server.storage.sqlite.BUSY_SECONDS", 0.01)
    path = started_once(tmp_path) / "llmaas.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        finding = only(state.database(settings(tmp_path)))
        other.rollback()
    assert finding.state == "wrong"
    assert "database is locked" in finding.found
    assert (finding.remedy or "").startswith("end the program that holds it: fuser -v ")


def test_looking_changes_nothing(tmp_path: Path) -> None:
    home = started_once(tmp_path)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert [one.state for one in state.database(settings(home))] == ["ok", "ok"]
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_one_that_is_well(tmp_path: Path) -> None:
    home = started_once(tmp_path)
    findings = list(state.database(settings(home)))
    assert [one.state for one in findings] == ["ok", "ok"]


def test_damaged_at_its_beginning(tmp_path: Path) -> None:
    path = started_once(tmp_path) / "llmaas.db"
    path.write_bytes(b"not a database at all" * 1000)
    finding = only(state.database(settings(tmp_path)))
    assert finding.state == "wrong"
    assert "file is not a database" in finding.found
    assert finding.remedy == "stop the server, then llmaas restore BACKUP"


def test_damaged_within(tmp_path: Path) -> None:
    path = started_once(tmp_path) / "llmaas.db"
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    content[half:] = b"\xff" * (len(content) - half)
    path.write_bytes(content)
    finding = next(iter(state.database(settings(tmp_path))))
    assert finding.state == "wrong"
    assert "damaged" in finding.found or "malformed" in finding.found
    assert finding.remedy == "stop the server, then llmaas restore BACKUP"


def test_of_a_newer_version(tmp_path: Path) -> None:
    change(started_once(tmp_path), "UPDATE alembic_version SET version_num = '9999'")
    finding = only(state.database(settings(tmp_path)))
    assert (finding.state, finding.remedy) == ("wrong", "pip install --upgrade 'llmaas[server]'")
    assert "has schema 9999" in finding.found


def test_of_an_older_version(tmp_path: Path) -> None:
    from llmaas_server.storage import migrate

    oldest = migrate.revisions()[0]
    change(started_once(tmp_path), f"UPDATE alembic_version SET version_num = '{oldest}'")
    finding = only(state.database(settings(tmp_path)))
    assert (finding.state, finding.remedy) == ("weak", "llmaas backup FILE, then llmaas serve")


def test_in_use_by_a_process_that_is_no_server(tmp_path: Path) -> None:
    services = Services.open(settings(started_once(tmp_path)))
    try:
        finding = found(state.database(settings(tmp_path)), "database")
    finally:
        services.release()
    assert finding.state == "weak"
    assert (finding.remedy or "").startswith("see what it is: ps -fp ")


def test_postgresql_out_of_reach(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    url = "postgresql://me:hunter2@127.0.0.1:9/x"
    finding = only(state.database(settings(tmp_path, database_url=url)))
    assert finding.state == "wrong"
    assert "psql" in (finding.remedy or "")
    assert "hunter2" not in finding.found


def test_postgresql_without_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    url = "postgresql://me:hunter2@127.0.0.1:9/x"
    finding = only(state.database(settings(tmp_path, database_url=url)))
    assert finding.state == "wrong"
    assert finding.remedy == "pip install 'llmaas[server,postgres]'"


def test_a_key_that_is_gone(tmp_path: Path) -> None:
    path = started_once(tmp_path) / "secrets" / "key-encryption-key"
    copy = tmp_path / "copy"
    path.rename(copy)
    finding = found(state.database(settings(tmp_path)), "encryption key")
    assert finding.state == "wrong"
    assert finding.remedy
    command = finding.remedy.partition(": ")[2].replace("COPY", str(copy))
    subprocess.run(command, shell=True, check=True)
    assert found(state.database(settings(tmp_path)), "encryption key").state == "ok"


def test_a_key_that_others_may_read(tmp_path: Path) -> None:
    path = started_once(tmp_path) / "secrets" / "key-encryption-key"
    path.chmod(0o644)
    finding = found(state.database(settings(tmp_path)), "encryption key")
    assert finding.state == "wrong"
    assert finding.remedy == f"chmod 600 {path}, then llmaas keychain rotate"


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"encryption_key": "hunter2"}, "set LLMAAS_ENCRYPTION_KEY to the key that it was"),
        ({"encryption_key_command": "false"}, "run the command of encryption_key_command by hand"),
    ],
)
def test_a_key_from_elsewhere_that_does_not_fit(
    tmp_path: Path, values: dict[str, str], remedy: str
) -> None:
    home = started_once(tmp_path)
    finding = found(state.database(settings(home, **values)), "encryption key")
    assert (finding.state, finding.remedy) == ("wrong", remedy)
    assert "hunter2" not in finding.found
