"""What is true of SQLite alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from llmaas_server.errors import Problem
from llmaas_server.storage import sqlite
from llmaas_server.storage.database import Database
from llmaas_server.storage.failures import StorageError
from llmaas_server.storage.tables import Tables, Unit
from support.databases import accounts, adding, run_sql

EVERYWHERE = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "mmap_size": 0,
    "busy_timeout": 5000,
}


def test_pragmas(sqlite_database: Database) -> None:
    def pragmas(names: dict[str, object]) -> Unit[dict[str, object]]:
        return lambda tables: {name: run_sql(f"PRAGMA {name}")(tables) for name in names}

    writer = EVERYWHERE | {"query_only": 0, "wal_autocheckpoint": 1000}
    reader = EVERYWHERE | {"query_only": 1, "wal_autocheckpoint": 0}
    assert sqlite_database.submit(pragmas(writer)).result() == writer
    assert sqlite_database.look(pragmas(reader)) == reader


async def test_a_full_disk(sqlite_database: Database) -> None:
    """Nothing that was acknowledged is lost, and it works again when there is room."""
    await sqlite_database.write(adding("a"))
    pages = await sqlite_database.write(run_sql("PRAGMA page_count"))
    await sqlite_database.write(run_sql(f"PRAGMA max_page_count={pages}"))

    def much(tables: Tables) -> None:
        for number in range(1000):
            adding(f"much{number}")(tables)

    with pytest.raises(Problem) as caught:
        await sqlite_database.write(much)
    assert caught.value.code == "storage_unavailable"
    assert await accounts(sqlite_database) == ["a"]
    await sqlite_database.write(run_sql(f"PRAGMA max_page_count={pages + 1000}"))
    await sqlite_database.write(much)
    assert len(await accounts(sqlite_database)) == 1001


async def test_somebody_else_locks_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    database = Database.open(f"sqlite:///{tmp_path / 'test.db'}")
    outsider = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    try:
        outsider.execute("BEGIN IMMEDIATE")
        with pytest.raises(Problem) as caught:
            await database.write(adding("a"))
        assert caught.value.code == "storage_unavailable"
        assert await accounts(database) == []
        outsider.execute("ROLLBACK")
        await database.write(adding("a"))
        assert await accounts(database) == ["a"]
    finally:
        outsider.close()
        database.close()


async def test_backup(sqlite_database: Database, tmp_path: Path) -> None:
    await sqlite_database.write(adding("a"))
    copy = tmp_path / "copy.db"
    sqlite_database.backup(copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    restored = Database.open(f"sqlite:///{copy}")
    assert await accounts(restored) == ["a"]
    restored.close()
    with pytest.raises(StorageError, match="nothing is overwritten"):
        sqlite_database.backup(copy)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "test.db"
    file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError, match=r"test\.db"):
        Database.open(f"sqlite:///{file}")
    assert file.read_bytes().startswith(b"not a database")
