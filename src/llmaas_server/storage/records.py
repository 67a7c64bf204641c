"""Prompts and answers, for applications that want them kept."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from . import schema
from .table import EditableTable


@dataclass(frozen=True, slots=True)
class RecordRow:
    id: str
    """Of the call."""
    account_id: str
    application_id: str
    key_id: str
    task: str
    model: str
    sealed: bytes
    """Request and answer, encrypted."""
    made_at: int
    expires_at: int


class Records(EditableTable[RecordRow]):
    table = schema.records
    row = RecordRow

    def after(
        self,
        account_id: str,
        last_id: str,
        now: int,
        limit: int,
        application_id: str | None = None,
    ) -> list[RecordRow]:
        """Rows of an account that are not due, in the order of their ids, after `last_id`."""
        where = [
            self.table.c.account_id == account_id,
            self.table.c.id > last_id,
            self.table.c.expires_at > now,
        ]
        if application_id is not None:
            where.append(self.table.c.application_id == application_id)
        return self._select(*where, order=(self.table.c.id,), limit=limit)

    def purge(self, now: int) -> int:
        """Remove what is due; how many that were."""
        return self._remove(self.table.c.expires_at <= now)

    def remove_of(self, account_id: str, application_id: str | None = None) -> int:
        """Remove all of an account, or of one application of it; how many that were."""
        where = [self.table.c.account_id == account_id]
        if application_id is not None:
            where.append(self.table.c.application_id == application_id)
        return self._remove(*where)

    def _remove(self, *where: sa.ColumnElement[bool]) -> int:
        return self._connection.execute(self.table.delete().where(*where)).rowcount
