"""The keys from which all is derived that belongs to no account; themselves encrypted."""

from __future__ import annotations

from dataclasses import dataclass

from . import schema
from .table import EditableTable


@dataclass(frozen=True, slots=True)
class RootKeyRow:
    version: int
    wrapped_by: str
    """The id of the key-encryption key."""
    wrapped: bytes
    created_at: int


class RootKeys(EditableTable[RootKeyRow]):
    table = schema.root_keys
    row = RootKeyRow

    def all(self) -> list[RootKeyRow]:
        """The oldest version first."""
        return self._select(order=(self.table.c.version,))
