"""The one thread that writes.

Units of work queue up; what waits is done in one transaction, each unit in a savepoint of its own,
and acknowledged after the commit. While a commit waits for the disk the next group gathers.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from .failures import StorageError, is_of_the_connection, of_unit, unavailable, words
from .tables import Tables, Unit

T = TypeVar("T")

MOST_UNITS = 64
"""In one transaction."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    unit: Unit[T]
    future: Future[T]

    def fail(self, error: BaseException) -> None:
        self.future.set_exception(error)


@dataclass(frozen=True, slots=True)
class _Done:
    """How a unit ended; not true before the commit."""

    job: _Job[Any]
    value: Any = None
    error: Exception | None = None

    def acknowledge(self) -> None:
        if self.error is not None:
            self.job.fail(self.error)
        else:
            self.job.future.set_result(self.value)


class Writer:
    """Owns the connection that writes: opens it, uses it and closes it in its own thread."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="storage-writer", daemon=True)
        self._thread.start()

    def submit(self, unit: Unit[T]) -> Future[T]:
        """Queue a unit of work; units are done in the order in which they were submitted.

        Once submitted it cannot be taken back: who stops waiting does not stop the work.
        """
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        with self._closing:
            if self._closed:
                raise StorageError("the database is closed")
            self._jobs.put(_Job(unit, future))
        return future

    def close(self) -> None:
        """Do what is queued, then end."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while group := self._next_group():
                self._commit(group)
        finally:
            self._disconnect()

    def _next_group(self) -> list[_Job[Any]]:
        """Everything that waits, up to MOST_UNITS; empty at the end."""
        first = self._jobs.get()
        group = [] if first is None else [first]
        while group and len(group) < MOST_UNITS and not self._jobs.empty():
            job = self._jobs.get()
            if job is None:
                self._jobs.put(None)  # the end comes after this group
                break
            group.append(job)
        return group

    def _commit(self, group: list[_Job[Any]]) -> None:
        try:
            connection = self._connected()
            transaction = connection.begin()
        except Exception as error:
            self._fail(group, error)
            return
        try:
            tables = Tables(connection)
            done = [_attempt(job, connection, tables) for job in group]
        except Exception as error:
            # Nothing is committed. One of them may be to blame: each gets its own transaction.
            self._rollback(transaction.rollback)
            if len(group) == 1:
                self._fail(group, error)
            else:
                for job in group:
                    self._commit([job])
            return
        try:
            transaction.commit()
        except Exception as error:
            self._rollback(transaction.rollback)
            self._fail(group, error)
            return
        for item in done:
            item.acknowledge()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _fail(self, group: list[_Job[Any]], error: Exception) -> None:
        self._drop_where_lost()
        log.error("%d units of work failed: %s", len(group), words(error))
        for job in group:
            job.fail(unavailable("written", error))

    def _rollback(self, rollback: Callable[[], None]) -> None:
        try:
            rollback()
        except Exception as error:
            # The database has done it already, or the connection is lost: then a new one is made.
            log.warning("a rollback failed: %s", type(error).__name__)
            self._disconnect()

    def _drop_where_lost(self) -> None:
        if self._connection is not None and self._connection.invalidated:
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _attempt(job: _Job[T], connection: Connection, tables: Tables) -> _Done:
    """Do one unit. Raises where the whole transaction is in doubt."""
    try:
        with connection.begin_nested():
            return _Done(job, value=job.unit(tables))
    except Exception as error:
        if is_of_the_connection(error):
            raise
        return _Done(job, error=of_unit(error))
