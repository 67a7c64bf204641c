"""Invitations: each lets one person register, once."""

from __future__ import annotations

from dataclasses import dataclass

from . import schema
from .table import EditableTable


@dataclass(frozen=True, slots=True)
class InvitationRow:
    id: str
    mac: bytes
    """A keyed hash of the token, which only the one who is invited has."""
    mac_version: int
    created_at: int
    expires_at: int
    used_at: int | None = None


class Invitations(EditableTable[InvitationRow]):
    table = schema.invitations
    row = InvitationRow

    def all(self) -> list[InvitationRow]:
        """The oldest first."""
        return self._select(order=(self.table.c.created_at, self.table.c.id))

    def purge(self, before: int) -> int:
        """Remove those that ended before a moment; how many that were."""
        ended = self._connection.execute(
            self.table.delete().where(self.table.c.expires_at < before)
        )
        return ended.rowcount
