"""Applications: what an account uses the service for."""

from __future__ import annotations

from dataclasses import dataclass

from . import schema
from .accounts import Status
from .table import EditableTable
from .values import Limits


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    id: str
    account_id: str
    name: str
    status: Status
    tasks: tuple[str, ...] | None
    """None is all of them."""
    models: tuple[str, ...] | None
    """None is all of them."""
    limits: Limits
    retention: bool
    """Whether prompts and outputs are kept."""
    created_at: int


class Applications(EditableTable[ApplicationRow]):
    table = schema.applications
    row = ApplicationRow

    def of_account(self, account_id: str) -> list[ApplicationRow]:
        """The oldest first."""
        return self._select(
            self.table.c.account_id == account_id,
            order=(self.table.c.created_at, self.table.c.id),
        )
