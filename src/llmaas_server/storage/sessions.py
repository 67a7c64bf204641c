"""Sessions of people in the console."""

from __future__ import annotations

from dataclasses import dataclass

from . import schema
from .table import EditableTable


@dataclass(frozen=True, slots=True)
class SessionRow:
    id: str
    mac: bytes
    """A keyed hash of the token, which only the browser has."""
    mac_version: int
    user_id: str
    account_id: str
    management_key_id: str
    inference_key_id: str
    """The keys that it acts by; nobody has their secrets."""
    created_at: int
    used_at: int
    expires_at: int
    confirmed_at: int
    """When the person last proved who they are."""


class Sessions(EditableTable[SessionRow]):
    table = schema.sessions
    row = SessionRow

    def of_user(self, user_id: str) -> list[SessionRow]:
        """The oldest first."""
        return self._select(
            self.table.c.user_id == user_id, order=(self.table.c.created_at, self.table.c.id)
        )

    def purge(self, now: int) -> int:
        """Remove those that are over; how many that were."""
        ended = self._connection.execute(self.table.delete().where(self.table.c.expires_at <= now))
        return ended.rowcount
