"""SQLite: write-ahead log, one connection that writes and checkpoints, full syncs."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from .disk import sync
from .failures import StorageError, words
from .lock import FileLock
from .snapshot import Replacement

BUSY_SECONDS = 5.0
"""How long to wait for someone who locks the file from outside."""

_PRAGMAS = {
    "synchronous": "FULL",  # a commit is on the disk before it is acknowledged
    "foreign_keys": "ON",
    "trusted_schema": "OFF",
    "cell_size_check": "ON",
    "mmap_size": "0",
    "temp_store": "MEMORY",
}


class SQLite:
    """A database file; beside it lie its log (`-wal`), its index (`-shm`) and its lock."""

    def __init__(self, url: URL) -> None:
        if not url.database or url.database == ":memory:":
            raise StorageError("a database in memory would forget: name a file, sqlite:///PATH")
        self._path = Path(url.database).absolute()
        self._url = url.set(database=str(self._path))
        self._lock = FileLock(self._path.with_name(self._path.name + ".lock"))
        self._locked = False
        self.name = str(self._path)

    def exists(self) -> bool:
        return self._path.exists()

    def writer(self) -> Connection:
        if not self._locked:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock.acquire()
            self._locked = True
        # SQLite gives its log the mode of the file.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        engine = self._engine("BEGIN IMMEDIATE", {"journal_mode": "WAL"}, NullPool)
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise StorageError(f"{self.name} cannot be opened: {words(error)}") from error
        if connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() != "wal":
            connection.close()
            raise StorageError(
                f"{self.name} lies where SQLite cannot keep a write-ahead log, such as on a "
                "network share: move it to a local disk, or use PostgreSQL"
            )
        connection.rollback()
        return connection

    def readers(self, most: int) -> Engine:
        return self._engine(
            "BEGIN",
            {"query_only": "ON", "wal_autocheckpoint": "0"},
            QueuePool,
            pool_size=most,
            max_overflow=0,
        )

    def owner(self) -> str | None:
        return self._lock.owner()

    def flaw(self, connection: Connection) -> str | None:
        found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
        return None if found == "ok" else " ".join(found.split())

    def backup(self, target: Path) -> None:
        if not self._path.exists():
            raise StorageError(f"there is no database {self.name}")
        if target.exists():
            raise StorageError(f"{target} exists: nothing is overwritten")
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        source, copy = sqlite3.connect(self._path), sqlite3.connect(target)
        try:
            source.backup(copy)
        except sqlite3.Error as error:
            target.unlink()
            raise StorageError(f"{self.name} cannot be copied: {error}") from error
        finally:
            source.close()
            copy.close()
        sync(target)

    def replacement(self, backup: Path) -> Replacement:
        return Replacement(self._path, backup)

    def close(self) -> None:
        self._lock.release()
        self._locked = False

    def _engine(self, begin: str, pragmas: dict[str, str], pool: Any, **options: Any) -> Engine:
        engine = create_engine(
            self._url,
            poolclass=pool,
            connect_args={"timeout": BUSY_SECONDS},
            hide_parameters=True,
            **options,
        )

        @event.listens_for(engine, "connect")
        def _connect(connection: sqlite3.Connection, _: object) -> None:
            connection.isolation_level = None  # the driver begins nothing by itself
            for name, value in (_PRAGMAS | pragmas).items():
                connection.execute(f"PRAGMA {name}={value}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine
