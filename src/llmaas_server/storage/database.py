"""The database of a server: one writer, several readers, units of work in, values out."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from llmaas_server.errors import Problem
from llmaas_server.settings import Settings

from . import migrate
from .dialect import Dialect
from .failures import StorageError, words
from .reader import READERS, Reader, dialect_of
from .tables import Unit, nothing
from .writer import Writer

FILE_NAME = "llmaas.db"

T = TypeVar("T")


def url_in(home: Path) -> str:
    """The database of a server that names no other."""
    return f"sqlite:///{home / FILE_NAME}"


def url_of(settings: Settings) -> str:
    """Of the database that these settings name."""
    url = settings.database_url
    return url_in(settings.home) if url is None else url.get_secret_value()


class Database:
    """An open database, brought to the schema of this version and owned by this process.

    >>> await database.write(lambda tables: tables.accounts.add(row))
    >>> await database.read(lambda tables: tables.accounts.get("acc_1"))
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._upgraded = False
        self._writer = Writer(self._connect)
        self.reader = Reader(dialect)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="storage-reader")

    @classmethod
    def open(cls, url: str) -> Database:
        """Open `sqlite:///PATH` or `postgresql://…`; blocks until the schema is up to date.

        Raises StorageInUse where another process owns it, StorageError where it cannot be used.
        """
        database = cls(dialect_of(url))
        try:
            # The first unit of work opens the database.
            database.submit(nothing).result()
        except Problem as problem:
            database.close()
            cause = problem.__cause__
            raise cause if isinstance(cause, StorageError) else problem from None
        return database

    def submit(self, unit: Unit[T]) -> Future[T]:
        """Queue a unit of work that writes; the future's result is there once it is committed.

        Units are done in the order in which they were submitted. The future raises what the unit
        raised, RowConflict, or Problem `storage_unavailable` where nothing could be committed.
        """
        return self._writer.submit(unit)

    async def write(self, unit: Unit[T]) -> T:
        """Do a unit of work and wait for its commit; see `submit`.

        A caller that is cancelled stops waiting; the work is done all the same.
        """
        return await asyncio.wrap_future(self.submit(unit))

    async def read(self, unit: Unit[T]) -> T:
        """Read one state of the database, with all that was committed before.

        Raises Problem `storage_unavailable`.
        """
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.look, unit)

    def look(self, unit: Unit[T]) -> T:
        """`read` for callers without an event loop; blocks."""
        return self.reader.look(unit)

    def backup(self, target: Path) -> None:
        """See `Reader.backup`."""
        self.reader.backup(target)

    def close(self) -> None:
        """Do what is queued, then close everything; blocks."""
        # Readers first: the last one to leave a file of SQLite writes its log back.
        self._readers.shutdown()
        self.reader.close()
        self._writer.close()
        self._dialect.close()

    def _connect(self) -> Connection:
        connection = self._dialect.writer()
        if not self._upgraded:
            self._upgrade(connection)
            self._upgraded = True
        return connection

    def _upgrade(self, connection: Connection) -> None:
        try:
            with connection.begin():
                migrate.upgrade(connection)
        except SQLAlchemyError as error:
            connection.close()
            raise StorageError(f"{self._dialect.name} cannot be used: {words(error)}") from error
        except StorageError:
            connection.close()
            raise
