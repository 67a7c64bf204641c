"""Digests of the ledger in the audit trail: so bills, too, cannot be changed unseen.

Each hour that had calls gets one row, `ledger.digest`, with a hash over the ledger's rows that were
settled since the digest before.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import astuple, dataclass

import msgspec

from llmaas_server.storage.audit import AuditRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.ledger import LedgerRow
from llmaas_server.storage.tables import Tables

from .clock import MINUTE, Clock
from .trail import Entry, Trail

ACTION = "ledger.digest"
HOUR = 60 * MINUTE
GRACE = 5 * MINUTE
"""After so long nothing more is settled in an hour, though the clock be set back a little."""

log = logging.getLogger(__name__)

_HASHED = b"llmaas ledger rows 1\0"


@dataclass(frozen=True, slots=True)
class Digest:
    """What the ledger held of a time: settled from `start` on and before `end`."""

    start: int
    end: int
    count: int
    sha256: str

    @property
    def target(self) -> str:
        """As the row of the trail has it, in the clear: who verifies needs no key."""
        return f"{self.start} {self.end} {self.count} {self.sha256}"

    @classmethod
    def of(cls, row: AuditRow) -> Digest:
        """Raises ValueError where the row holds none."""
        start, end, count, sha256 = row.target.split(" ")
        return cls(int(start), int(end), int(count), sha256)


def digest(tables: Tables, start: int, end: int) -> Digest:
    """The digest of what the ledger holds now."""
    hashes = sorted(_row_hashes(tables.ledger.settled_between(start, end)))
    return Digest(start, end, len(hashes), hashlib.sha256(b"".join(hashes)).hexdigest())


class Digests:
    """Adds digests to the trail."""

    def __init__(self, database: Database, trail: Trail, clock: Clock) -> None:
        self._database = database
        self._trail = trail
        self._clock = clock

    async def add_due(self) -> bool:
        """Add the digest of all whole hours since the last one; whether there was something.

        For every minute or so.
        """
        end = (self._clock() - GRACE) // HOUR * HOUR

        def look(tables: Tables) -> Digest | None:
            start = last_end(tables)
            return digest(tables, start, end) if start < end else None

        try:
            due = await self._database.read(look)
        except ValueError:
            log.error("the newest digest of the ledger was changed: `llmaas audit verify`")
            return False
        if due is None or not due.count:
            return False

        def unit(tables: Tables) -> None:
            self._trail.add(tables, Entry("server", "ledger", ACTION, due.target))

        await self._database.write(unit)
        return True


def last_end(tables: Tables) -> int:
    """Up to where the ledger is covered; 0 where there is no digest.

    Raises ValueError where the newest digest was changed.
    """
    newest = tables.audit.newest(ACTION)
    return 0 if newest is None else Digest.of(newest).end


def _row_hashes(rows: Iterable[LedgerRow]) -> Iterable[bytes]:
    for row in rows:
        yield hashlib.sha256(_HASHED + msgspec.msgpack.encode(astuple(row))).digest()
