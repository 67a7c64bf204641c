"""What storage raises, besides the `Problem` that a caller sees."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, IntegrityError

from llmaas_server.errors import Problem

RETRY_SECONDS = 1.0


class StorageError(Exception):
    """The database cannot be used as it is; the text says what to do."""


class StorageInUse(StorageError):
    """Another process owns the database."""


class NoDatabase(StorageError):
    """There is none yet."""


class OlderSchema(StorageError):
    """An older version wrote the database; opening it to write brings it up to date."""


class NewerSchema(StorageError):
    """A newer version wrote the database, and this one does not know its schema."""


class NoDriver(StorageError):
    """A package is missing that speaks with the database."""


class RowConflict(StorageError):
    """A row contradicts others: its id is taken, or what it refers to does not exist."""


class NoSuchRow(StorageError, LookupError):
    """The row to change is not there."""


def unavailable(what: str, cause: Exception) -> Problem:
    """For callers: no detail of the database; that belongs into the log."""
    problem = Problem(
        "storage_unavailable",
        f"the database cannot be {what} now",
        retry_after=RETRY_SECONDS,
    )
    problem.__cause__ = cause
    return problem


def of_unit(error: Exception) -> Exception:
    """The error of a unit of work as its caller gets it."""
    return RowConflict(words(error)) if isinstance(error, IntegrityError) else error


def is_of_the_connection(error: Exception) -> bool:
    """Whether an error says something about the database rather than about one statement."""
    return isinstance(error, DBAPIError) and not isinstance(error, IntegrityError)


def words(error: BaseException) -> str:
    """The first line of the driver's own words: no statement, no values."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return f"{type(origin).__name__}: {next(iter(str(origin).splitlines()), '')}"
