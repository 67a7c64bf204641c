"""Reads a database, beside the one who writes it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeVar

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from . import migrate
from .dialect import Dialect
from .failures import NewerSchema, NoDatabase, OlderSchema, StorageError, unavailable, words
from .postgres import PostgreSQL
from .sqlite import SQLite
from .tables import Tables, Unit

READERS = 4

T = TypeVar("T")

log = logging.getLogger(__name__)


class Reader:
    """Reads what is committed; a server may work with the database in the meantime.

    >>> reader.look(lambda tables: tables.accounts.get("acc_1"))
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.name = dialect.name
        """For people; without secrets."""
        self._engine = dialect.readers(READERS)

    @classmethod
    def open(cls, url: str) -> Reader:
        """For one who does not own the database; blocks.

        Raises StorageError: NoDatabase, OlderSchema, NewerSchema, or where it cannot be read.
        """
        dialect = dialect_of(url)
        if not dialect.exists():
            raise NoDatabase(f"there is no database {dialect.name}: start the server once")
        reader = cls(dialect)
        try:
            reader._check_schema()
        except BaseException:
            reader.close()
            raise
        return reader

    def look(self, unit: Unit[T]) -> T:
        """One state of the database, with all that was committed before; blocks.

        Raises Problem `storage_unavailable`.
        """
        try:
            with self._engine.connect() as connection, connection.begin():
                return unit(Tables(connection))
        except SQLAlchemyError as error:
            log.error("a read failed: %s", words(error))
            raise unavailable("read", error) from error

    def owner(self) -> str | None:
        """The process that writes, where that can be known."""
        return self._dialect.owner()

    def flaw(self) -> str | None:
        """What is damaged, as far as the database system can say; reads everything. Blocks."""
        try:
            with self._engine.connect() as connection:
                return self._dialect.flaw(connection)
        except SQLAlchemyError as error:
            return words(error)

    def backup(self, target: Path) -> None:
        """Write a copy of the committed state to a new file; blocks.

        Raises StorageError where the database has tools of its own for that (PostgreSQL).
        """
        self._dialect.backup(target)

    def close(self) -> None:
        self._engine.dispose()

    def _check_schema(self) -> None:
        try:
            with self._engine.connect() as connection, connection.begin():
                found = migrate.current(connection)
        except SQLAlchemyError as error:
            raise StorageError(f"{self._dialect.name} cannot be read: {words(error)}") from error
        *older, newest = migrate.revisions()
        if found is None:
            raise NoDatabase(f"{self._dialect.name} is empty: start the server once")
        if found in older:
            raise OlderSchema(
                f"{self._dialect.name} has schema {found}, and this version of llmaas has "
                f"{newest}: start the server of this version once"
            )
        if found != newest:
            raise NewerSchema(
                f"{self._dialect.name} has schema {found}, which this version of llmaas does not "
                "know: install the version that wrote it, or a newer one"
            )


def dialect_of(url: str) -> Dialect:
    """Raises StorageError."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StorageError("a database is named as sqlite:///PATH or postgresql://…") from error
    match parsed.get_backend_name():
        case "sqlite":
            return SQLite(parsed)
        case "postgresql":
            return PostgreSQL(parsed)
        case other:
            raise StorageError(f"{other} is not supported: use SQLite or PostgreSQL")
