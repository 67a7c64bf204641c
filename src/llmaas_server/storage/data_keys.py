"""The keys that an account's secrets are encrypted with, themselves encrypted."""

from __future__ import annotations

from dataclasses import dataclass

from . import schema
from .table import EditableTable


@dataclass(frozen=True, slots=True)
class DataKeyRow:
    account_id: str
    version: int
    wrapped_by: str
    """The id of the key-encryption key."""
    wrapped: bytes | None
    """None once the key was destroyed: what it encrypted cannot be read any more."""
    created_at: int


class DataKeys(EditableTable[DataKeyRow]):
    table = schema.data_keys
    row = DataKeyRow

    def of_account(self, account_id: str) -> list[DataKeyRow]:
        """The oldest version first."""
        return self._select(self.table.c.account_id == account_id, order=(self.table.c.version,))

    def wrapped_by_others(self, wrapped_by: str, limit: int) -> list[DataKeyRow]:
        """Keys that wait to be wrapped by this key-encryption key; the work of a rotation."""
        return self._select(
            self.table.c.wrapped_by != wrapped_by,
            self.table.c.wrapped.is_not(None),
            order=(self.table.c.account_id, self.table.c.version),
            limit=limit,
        )
