"""Keys: the public part, what the key may do, and a keyed hash of the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from . import schema
from .table import EditableTable
from .values import Limits, Scopes

KeyKind = Literal["inference", "management"]


@dataclass(frozen=True, slots=True)
class KeyRow:
    id: str
    """The public part: it is in the key, in lists and in logs."""
    account_id: str
    application_id: str | None
    """None for management keys of the whole account."""
    kind: KeyKind
    name: str
    mac: bytes
    mac_version: int
    """Which secret the hash is keyed with."""
    scopes: Scopes
    limits: Limits
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_day: int | None = None
    """Days since 1970 UTC."""
    replaces: str | None = None
    """The key that this one was made to follow."""


class Keys(EditableTable[KeyRow]):
    table = schema.keys
    row = KeyRow

    def of_account(self, account_id: str) -> list[KeyRow]:
        """The oldest first."""
        return self._select(
            self.table.c.account_id == account_id,
            order=(self.table.c.created_at, self.table.c.id),
        )

    def of_application(self, application_id: str) -> list[KeyRow]:
        """The oldest first."""
        return self._select(
            self.table.c.application_id == application_id,
            order=(self.table.c.created_at, self.table.c.id),
        )

    def used(self, ids: Iterable[str], day: int) -> None:
        """Note that these keys were used; days never go back."""
        columns = self.table.c
        self._connection.execute(
            self.table.update()
            .where(columns.id.in_(list(ids)))
            .where((columns.last_used_day < day) | columns.last_used_day.is_(None))
            .values(last_used_day=day)
        )
