"""Answers kept for a short time, for requests that are sent again."""

from __future__ import annotations

from dataclasses import dataclass

from . import schema
from .table import EditableTable


@dataclass(frozen=True, slots=True)
class AnswerRow:
    key_id: str
    token: bytes
    """A hash of the Idempotency-Key."""
    request: bytes
    """A hash of the request."""
    call_id: str
    sealed: bytes | None
    """The answer, encrypted; None where it was too large to keep."""
    expires_at: int


class Answers(EditableTable[AnswerRow]):
    table = schema.answers
    row = AnswerRow

    def keep(self, row: AnswerRow) -> None:
        """Add the row, in the place of an older one that is over."""
        self.remove(row.key_id, row.token)
        self.add(row)

    def remove_of(self, key_id: str) -> int:
        """Remove all of a key; how many that were."""
        gone = self._connection.execute(self.table.delete().where(self.table.c.key_id == key_id))
        return gone.rowcount

    def purge(self, now: int) -> int:
        """Remove what is over; how many that were."""
        gone = self._connection.execute(self.table.delete().where(self.table.c.expires_at <= now))
        return gone.rowcount
