"""What to type for a copy of PostgreSQL, and whether it fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from llmaas_server.storage.pg_tools import complaint, dump_command, restore_command, tool_major

URL = make_url("postgresql+psycopg://me:hush@db.example:5433/llmaas?sslmode=verify-full")


@pytest.mark.parametrize("command", [dump_command, restore_command])
def test_commands_are_whole_and_without_the_password(command: object) -> None:
    assert callable(command)
    typed = command(URL, Path("/backups/my copy"))
    assert "postgresql://me@db.example:5433/llmaas?sslmode=verify-full" in typed
    assert "'" in typed
    assert "hush" not in typed


def tool(folder: Path, says: str) -> None:
    file = folder / "pg_dump"
    file.write_text(f"#!/bin/sh\n{says}\n")
    file.chmod(0o755)


@pytest.mark.parametrize(
    ("says", "found", "complains"),
    [
        ("echo 'pg_dump (PostgreSQL) 17.2 (Debian 17.2-1)'", 17, None),
        ("echo 'pg_dump (PostgreSQL) 16beta1'", 16, None),
        ("echo 'pg_dump (PostgreSQL) 14.9'", 14, "older than the server's 15"),
        ("exit 1", None, "install the client of PostgreSQL 15"),
    ],
)
def test_its_version(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    says: str,
    found: int | None,
    complains: str | None,
) -> None:
    tool(tmp_path, says)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert tool_major("pg_dump") == found
    told = complaint("pg_dump", 15)
    assert told is None if complains is None else complains in (told or "")


def test_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tool_major("pg_dump") is None
