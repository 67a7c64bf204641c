"""Accounts, the tenants; and the users who sign in to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from . import schema
from .table import EditableTable
from .values import Limits

Status = Literal["active", "suspended", "closed"]


@dataclass(frozen=True, slots=True)
class AccountRow:
    id: str
    name: str
    status: Status
    limits: Limits
    created_at: int


class Accounts(EditableTable[AccountRow]):
    table = schema.accounts
    row = AccountRow

    def all(self) -> list[AccountRow]:
        """The oldest first."""
        return self._select(order=(self.table.c.created_at, self.table.c.id))

    def after(self, last_id: str, limit: int) -> list[AccountRow]:
        """In the order of their ids: a page of the list of all."""
        return self._select(self.table.c.id > last_id, order=(self.table.c.id,), limit=limit)


@dataclass(frozen=True, slots=True)
class UserRow:
    id: str
    account_id: str
    role: str
    email: bytes | None
    """Encrypted."""
    email_lookup: bytes | None
    """A keyed hash: finds the user by e-mail, and says nothing without the key."""
    password_hash: str | None
    status: Status
    created_at: int


class Users(EditableTable[UserRow]):
    table = schema.users
    row = UserRow

    def by_email(self, lookup: bytes) -> UserRow | None:
        return next(iter(self._select(self.table.c.email_lookup == lookup)), None)

    def with_role(self, role: str) -> list[UserRow]:
        """The oldest first."""
        return self._select(
            self.table.c.role == role, order=(self.table.c.created_at, self.table.c.id)
        )

    def of_account(self, account_id: str) -> list[UserRow]:
        """The oldest first."""
        return self._select(
            self.table.c.account_id == account_id,
            order=(self.table.c.created_at, self.table.c.id),
        )
