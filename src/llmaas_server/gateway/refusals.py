"""Refused accesses in the audit trail, bounded: strangers must not be able to fill the disk.

In each window the first few of a kind get a row each; what comes after them is counted, and the
count gets one row when the window ends. Those of an account have a share of their own, so that
strangers cannot hide them. A count that was not written yet is lost with a sudden end.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from llmaas_server.errors import Problem
from llmaas_server.storage.audit import AuditRow
from llmaas_server.storage.database import Database

from .clock import MINUTE, Clock
from .trail import Entry, Trail

WINDOW = MINUTE
MOST_ROWS = 10
"""In a window, for strangers together and for each account."""
MOST_ACCOUNTS = 100
"""With a share of their own in a window; more share that of the strangers."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Window:
    start: int
    rows: dict[str | None, int] = field(default_factory=dict)
    """Account -> rows written; None for strangers."""
    left_out: dict[str | None, int] = field(default_factory=dict)
    """Account -> accesses counted only."""


class Refusals:
    """Notes refused accesses without making anyone wait."""

    def __init__(self, database: Database, trail: Trail, clock: Clock) -> None:
        self._database = database
        self._trail = trail
        self._clock = clock
        self._lock = threading.Lock()
        self._window = _Window(0)

    def note(self, entry: Entry) -> None:
        """Write it down, or count it where there were many."""
        self.sweep()
        with self._lock:
            window, share = self._window, entry.account_id
            if share is not None and share not in window.rows and len(window.rows) > MOST_ACCOUNTS:
                share = None
            written = window.rows.get(share, 0)
            if written >= MOST_ROWS:
                window.left_out[share] = window.left_out.get(share, 0) + 1
                return
            window.rows[share] = written + 1
        self._write(entry)

    def sweep(self) -> None:
        """Write the counts of a window that is over; for every minute or so."""
        now = self._clock()
        with self._lock:
            window = self._window
            if now - window.start < WINDOW:
                return
            self._window = _Window(now)
        self._write_counts(window)

    def close(self) -> None:
        """Write what was counted so far."""
        with self._lock:
            window, self._window = self._window, _Window(self._clock())
        self._write_counts(window)

    def _write_counts(self, window: _Window) -> None:
        for account_id, count in window.left_out.items():
            self._write(
                Entry(
                    "stranger" if account_id is None else "key",
                    "many",
                    "access.refused",
                    f"{count} more since {window.start}",
                    outcome="refused",
                    account_id=account_id,
                )
            )

    def _write(self, entry: Entry) -> None:
        self._trail.changed.set()  # at once: who anchors at the end waits for what is queued
        self._database.submit(lambda tables: self._trail.add(tables, entry)).add_done_callback(
            _complain
        )


def _complain(done: Future[AuditRow]) -> None:
    error = done.exception()
    if isinstance(error, Problem):
        log.error("a refused access is not in the audit trail: %s", error.message)
    elif error is not None:
        log.error("a refused access is not in the audit trail", exc_info=error)
