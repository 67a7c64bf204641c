"""`llmaas audit`, `keychain`, `backup` and `restore`, over the folder of a server."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from llmaas_server.cli import audit, keychain
from llmaas_server.cli.backup import backup
from llmaas_server.cli.restore import restore
from llmaas_server.gateway.anchor import sign
from llmaas_server.gateway.kek import KeyFile
from llmaas_server.storage.database import Database, url_in
from support.databases import add_tenant, run_sql
from support.trails import CREATED, Safe


def alone(command: object) -> typer.Typer:
    app = typer.Typer()
    assert callable(command)
    app.command()(command)
    return app


BACKUP, RESTORE = alone(backup), alone(restore)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a server that has three rows in its trail, and does not run."""
    for name in [name for name in os.environ if name.startswith("LLMAAS_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("LLMAAS_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    database = Database.open(url_in(home))
    database.submit(add_tenant).result()
    safe = Safe(database, home)
    for detail in ({"name": "a telling name"}, None, None):
        entry = replace(CREATED, detail=detail)
        row = database.submit(partial(safe.trail.add, entry=entry)).result()
    safe.file.append(sign(safe.keychain.signing_key(), row, 1))
    database.close()
    return home


def run(app: typer.Typer, *arguments: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == code, done.output
    return done


def change(home: Path, *statements: str) -> None:
    """As somebody does who can write the database."""
    database = Database.open(url_in(home))
    for statement in statements:
        database.submit(run_sql(statement)).result()
    database.close()


CHANGED = ("DROP TRIGGER audit_no_update", "UPDATE audit SET actor = 'usr_9' WHERE seq = 2")


def test_audit_list(home: Path) -> None:
    lines = run(audit.app, "list", "--limit", "2").output.splitlines()
    assert lines[0].split("\t")[0] == "seq"
    assert [line.split("\t")[0] for line in lines[1:]] == ["2", "3"]
    assert "keys.create" in lines[1]


def test_audit_list_in_json(home: Path) -> None:
    rows = json.loads(run(audit.app, "list", "--json", "--after", "0", "--limit", "1").output)
    assert [row["seq"] for row in rows] == [1]
    assert rows[0]["detail"] == {"name": "a telling name"}
    assert json.loads(run(audit.app, "list", "--json", "--account", "acc_9").output) == []


def test_audit_verify(home: Path) -> None:
    assert "is whole: 3 rows, up to 3 covered by 1 signed heads" in run(audit.app, "verify").output
    change(home, *CHANGED)
    done = run(audit.app, "verify", code=1)
    assert "row 2: was changed" in done.output
    report = json.loads(run(audit.app, "verify", "--json", code=1).output)
    assert (report["whole"], report["flaws"][0]["seq"]) == (False, 2)


def test_audit_verify_with_heads_kept_elsewhere(home: Path, tmp_path: Path) -> None:
    heads = home / "audit" / "heads.jsonl"
    elsewhere = tmp_path / "heads.jsonl"
    elsewhere.write_bytes(heads.read_bytes())
    change(home, "DROP TRIGGER audit_no_delete", "DELETE FROM audit WHERE seq = 3")
    heads.unlink()
    run(audit.app, "verify")  # both were cut
    assert "row 3: is missing" in run(audit.app, "verify", "--heads", elsewhere, code=1).output


def test_audit_beside_a_running_server(home: Path) -> None:
    database = Database.open(url_in(home))
    run(audit.app, "list")
    run(audit.app, "verify")
    database.close()


def test_audit_export(home: Path, tmp_path: Path) -> None:
    printed = run(audit.app, "export").output
    rows = [json.loads(line) for line in printed.splitlines()]
    assert [row["seq"] for row in rows] == [1, 2, 3]
    file = tmp_path / "trail.jsonl"
    run(audit.app, "export", file)
    assert file.read_text() == printed
    assert file.stat().st_mode & 0o777 == 0o600
    assert "exists" in run(audit.app, "export", file, code=2).stderr


def test_without_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_HOME", str(tmp_path / "nowhere"))
    assert "start the server once" in run(audit.app, "verify", code=2).stderr
    assert "start the server once" in run(BACKUP, tmp_path / "copy", code=2).stderr
    assert not (tmp_path / "nowhere").exists()


def test_with_a_wrong_key(home: Path) -> None:
    (home / "secrets" / "key-encryption-key").unlink()
    KeyFile(home).create()
    assert "bring back the right key" in run(audit.app, "verify", code=2).stderr
    assert "bring back the right key" in run(keychain.app, "show", code=2).stderr


def test_a_new_key_is_printed_and_fits(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [old] = KeyFile(home).load()
    new = run(keychain.app, "new").output.strip()
    monkeypatch.setenv("LLMAAS_ENCRYPTION_KEY", f"{new} {old.text}")
    assert "from the setting encryption_key" in run(keychain.app, "rotate").output
    monkeypatch.setenv("LLMAAS_ENCRYPTION_KEY", new)
    run(audit.app, "verify")


def test_keychain_rotate(home: Path) -> None:
    before = json.loads(run(keychain.app, "show", "--json").output)
    run(keychain.app, "rotate")
    after = json.loads(run(keychain.app, "show", "--json").output)
    assert after["key"] != before["key"]
    rows = json.loads(run(audit.app, "list", "--json").output)
    assert (rows[-1]["action"], rows[-1]["target"]) == ("keychain.rotate", after["key"])
    assert rows[0]["detail"] == {"name": "a telling name"}


def test_keychain_renew(home: Path) -> None:
    assert run(keychain.app, "renew").output == "1 accounts have new data keys.\n"
    assert run(keychain.app, "renew", "acc_1").output == "1 accounts have new data keys.\n"
    assert "no account" in run(keychain.app, "renew", "acc_9", code=2).stderr
    rows = json.loads(run(audit.app, "list", "--json").output)
    assert [row["target"] for row in rows[-2:]] == ["2", "3"]
    assert rows[0]["detail"] == {"name": "a telling name"}


def test_keys_are_not_changed_under_a_running_server(home: Path) -> None:
    database = Database.open(url_in(home))
    assert "in use by process" in run(keychain.app, "rotate", code=2).stderr
    database.close()


def test_backup_and_restore(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    database = Database.open(url_in(home))
    assert "key-encryption-key" in run(BACKUP, copy).output
    database.close()
    run(keychain.app, "renew")
    output = run(RESTORE, copy).output
    assert "with 3 rows of the audit trail" in output
    run(audit.app, "verify")
    rows = json.loads(run(audit.app, "list", "--json").output)
    assert [row["action"] for row in rows] == ["keys.create"] * 3 + ["database.restore"]


def test_nothing_is_overwritten_by_a_backup(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("mine")
    assert "nothing is overwritten" in run(BACKUP, copy, code=2).stderr
    assert copy.read_text() == "mine"


def test_what_is_damaged_is_not_restored(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    run(BACKUP, copy)
    copy.write_bytes(copy.read_bytes()[:9000])
    assert "damaged" in run(RESTORE, copy, code=2).stderr
    run(audit.app, "verify")
