"""The audit trail: rows in a chain of hashes, and signed checkpoints of its head."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from . import schema
from .table import Table


@dataclass(frozen=True, slots=True)
class AuditRow:
    seq: int
    """1, 2, 3, … without gaps."""
    at: int
    account_id: str | None
    actor_kind: str
    actor: str
    action: str
    target: str
    outcome: str
    address: bytes | None
    """A keyed hash of where it came from."""
    detail: bytes | None
    """Encrypted."""
    previous: bytes
    """The hash of the row before."""
    hash: bytes


class Audit(Table[AuditRow]):
    """Rows are added, never changed: the database refuses it."""

    table = schema.audit
    row = AuditRow

    def head(self) -> AuditRow | None:
        """The newest row."""
        return next(iter(self._select(order=(self.table.c.seq.desc(),), limit=1)), None)

    def newest(self, action: str) -> AuditRow | None:
        """The newest row that tells of this action."""
        where = self.table.c.action == action
        return next(iter(self._select(where, order=(self.table.c.seq.desc(),), limit=1)), None)

    def last(self, limit: int, account_id: str | None = None) -> list[AuditRow]:
        """The newest rows, the oldest of them first."""
        where = [] if account_id is None else [self.table.c.account_id == account_id]
        return self._select(*where, order=(self.table.c.seq.desc(),), limit=limit)[::-1]

    def before(self, seq: int, limit: int, account_id: str | None = None) -> list[AuditRow]:
        """Rows that come before `seq`, the newest first."""
        where = [self.table.c.seq < seq]
        if account_id is not None:
            where.append(self.table.c.account_id == account_id)
        return self._select(*where, order=(self.table.c.seq.desc(),), limit=limit)

    def count(self) -> int:
        query = sa.select(sa.func.count()).select_from(self.table)
        return int(self._connection.execute(query).scalar_one())

    def after(self, seq: int, limit: int, account_id: str | None = None) -> list[AuditRow]:
        """Rows that follow `seq`, the oldest first."""
        where = [self.table.c.seq > seq]
        if account_id is not None:
            where.append(self.table.c.account_id == account_id)
        return self._select(*where, order=(self.table.c.seq,), limit=limit)


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """What the head of the chain was at a moment, signed."""

    seq: int
    hash: bytes
    at: int
    signed_by: str
    signature: bytes


class Checkpoints(Table[CheckpointRow]):
    table = schema.audit_checkpoints
    row = CheckpointRow

    def all(self) -> list[CheckpointRow]:
        """The oldest first."""
        return self._select(order=(self.table.c.seq,))
