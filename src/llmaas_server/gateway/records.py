"""Requests and answers of applications that have `retention` on, kept encrypted for a time.

Of all others nothing is kept, with one exception: answers to requests that carry an
`Idempotency-Key`, for some minutes (see `idempotency`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from llmaas_server.errors import Problem
from llmaas_server.storage.database import Database
from llmaas_server.storage.records import RecordRow
from llmaas_server.storage.tables import Tables, Unit
from llmaas_server.storage.values import Payer

from .clock import MINUTE, Clock
from .trail import Entry, Trail
from .vault import Sealer, Vault

DAY = 24 * 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Record:
    """A call as it was asked and answered."""

    row: RecordRow
    request: bytes
    """JSON."""
    answer: bytes
    """JSON."""


class Records:
    """Keeps records, shows them to the account that owns them, removes them when they are due."""

    def __init__(
        self, database: Database, vault: Vault, trail: Trail, clock: Clock, *, keep: int
    ) -> None:
        """`keep` is how long records are kept, in microseconds."""
        self._database = database
        self._vault = vault
        self._trail = trail
        self._clock = clock
        self._keep = keep

    async def keeping(
        self, call_id: str, payer: Payer, task: str, model: str, request: bytes, answer: bytes
    ) -> Unit[None]:
        """The unit of work that keeps a call; it belongs into the transaction that settles it.

        `request` and `answer` are JSON. Raises Problem.
        """
        plain = msgspec.msgpack.encode((request, answer))
        sealed = await self._vault.seal(payer.account_id, _context(call_id), plain)
        now = self._clock()
        row = RecordRow(
            id=call_id,
            account_id=payer.account_id,
            application_id=payer.application_id,
            key_id=payer.key_id,
            task=task,
            model=model,
            sealed=sealed,
            made_at=now,
            expires_at=now + self._keep,
        )

        def unit(tables: Tables) -> None:
            tables.records.add(row)

        return unit

    async def after(
        self, account_id: str, last_id: str, limit: int, application_id: str | None = None
    ) -> list[RecordRow]:
        """Which records an account has, in the order of their ids; those that are due are gone."""
        now = self._clock()
        return await self._database.read(
            lambda tables: tables.records.after(account_id, last_id, now, limit, application_id)
        )

    async def get(self, account_id: str, record_id: str) -> Record:
        """Raises Problem `not_found`, also for records of other accounts."""
        row = await self._database.read(lambda tables: tables.records.get(record_id))
        if row is None or row.account_id != account_id or row.expires_at <= self._clock():
            raise _no_record(record_id)
        return await self.open(row)

    async def open(self, row: RecordRow) -> Record:
        """Decrypt a record."""
        plain = await self._vault.unseal(row.account_id, _context(row.id), row.sealed)
        return _record(row, plain)

    def open_within(self, tables: Tables, row: RecordRow) -> Record:
        """`open` inside a unit of work."""
        context = _context(row.id)
        return _record(row, self._vault.unseal_within(tables, row.account_id, context, row.sealed))

    async def remove(self, account_id: str, record_id: str, by: Entry) -> None:
        """Remove a record; `by` tells the audit trail. Raises Problem `not_found`."""

        def unit(tables: Tables) -> None:
            row = tables.records.get(record_id)
            if row is None or row.account_id != account_id:
                raise _no_record(record_id)
            tables.records.remove(record_id)
            self._trail.add(tables, by)

        await self._database.write(unit)

    async def remove_all(self, account_id: str, application_id: str | None, by: Entry) -> int:
        """Remove the records of an account, or of one of its applications; how many that were."""

        def unit(tables: Tables) -> int:
            self._trail.add(tables, by)
            return tables.records.remove_of(account_id, application_id)

        return await self._database.write(unit)

    async def purge(self) -> int:
        """Remove what is due; how many that were. For every minute or so."""
        now = self._clock()
        return await self._database.write(lambda tables: tables.records.purge(now))


def renew(sealer: Sealer, tables: Tables, row: RecordRow) -> None:
    """Encrypt a record anew with the account's newest key, inside a unit of work."""
    context = _context(row.id)
    plain = sealer.unseal_within(tables, row.account_id, context, row.sealed)
    sealed = sealer.seal_within(tables, row.account_id, context, plain)
    tables.records.replace(replace(row, sealed=sealed))


def _record(row: RecordRow, plain: bytes) -> Record:
    request, answer = msgspec.msgpack.decode(plain, type=tuple[bytes, bytes])
    return Record(row, request, answer)


def _context(record_id: str) -> bytes:
    return f"records|{record_id}".encode()


def _no_record(record_id: str) -> Problem:
    return Problem(
        "not_found",
        f"there is no record {record_id!r}",
        hint="GET /v1/records lists them; they go when their time is over.",
    )
