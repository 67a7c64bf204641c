"""Reads a database, beside the one who writes it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeVar

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from . import migrate
from .dialect import Dialect
from .failures import StorageError, unavailable, words
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
        self._engine = dialect.readers(READERS)

    @classmethod
    def open(cls, url: str) -> Reader:
        """For one who does not own the database; blocks.

        Raises StorageError where there is none, or it has another schema than this version.
        """
        dialect = dialect_of(url)
        if not dialect.exists():
            raise StorageError(f"there is no database {dialect.name}: start the server once")
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
        if found != migrate.revisions()[-1]:
            raise StorageError(
                f"{self._dialect.name} has schema {found}, and this version of llmaas has "
                f"{migrate.revisions()[-1]}: start the server of this version once"
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
