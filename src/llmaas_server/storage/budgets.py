"""Budgets, and what of each is spent and reserved in each of its periods.

Spent and reserved are sums over ledger and intents, kept beside them so that check and
reservation are one statement. `recount` makes them anew; a test holds both equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import sqlalchemy as sa

from . import schema
from .table import EditableTable, Table
from .values import Owner, OwnerKind, Period

_OWNER_COLUMN: dict[OwnerKind, str] = {
    "account": "account_id",
    "application": "application_id",
    "key": "key_id",
}


@dataclass(frozen=True, slots=True)
class BudgetRow:
    owner_kind: OwnerKind
    owner_id: str
    period: Period
    amount: int

    @property
    def owner(self) -> Owner:
        return Owner(self.owner_kind, self.owner_id)


@dataclass(frozen=True, slots=True)
class BudgetWindowRow:
    """One period of a budget; it began at `starts_at`."""

    owner_kind: OwnerKind
    owner_id: str
    starts_at: int
    spent: int
    reserved: int


@cache
def _of_owners(count: int) -> sa.Select[Any]:
    """Built once: every call asks this twice."""
    columns = schema.budgets.c
    wanted = (
        (columns.owner_kind == sa.bindparam(f"kind_{number}"))
        & (columns.owner_id == sa.bindparam(f"id_{number}"))
        for number in range(count)
    )
    names = (field.name for field in fields(BudgetRow))
    return sa.select(*(columns[name] for name in names)).where(sa.or_(sa.false(), *wanted))


class Budgets(EditableTable[BudgetRow]):
    table = schema.budgets
    row = BudgetRow

    def of(self, owners: Sequence[Owner]) -> list[BudgetRow]:
        """The budgets of those owners that have one, in the order of the owners."""
        given = {
            name: value
            for number, owner in enumerate(owners)
            for name, value in ((f"kind_{number}", owner.kind), (f"id_{number}", owner.id))
        }
        found = self._connection.execute(_of_owners(len(owners)), given)
        rows = {row.owner: row for row in (BudgetRow(*record) for record in found)}
        return [rows[owner] for owner in owners if owner in rows]

    def all(self) -> list[BudgetRow]:
        return self._select(order=(self.table.c.owner_kind, self.table.c.owner_id))


class BudgetWindows(Table[BudgetWindowRow]):
    table = schema.budget_windows
    row = BudgetWindowRow

    def reserve(self, owner: Owner, starts_at: int, cost: int, amount: int) -> bool:
        """Reserve `cost` where the whole period stays within `amount`; else change nothing."""
        columns = self.table.c
        changed = self._update(
            owner,
            starts_at,
            columns.spent + columns.reserved <= amount - cost,
            reserved=columns.reserved + cost,
        )
        return changed > 0

    def settle(self, owner: Owner, starts_at: int, reserved: int, cost: int) -> None:
        """Turn a reservation into what was spent. Nothing happens in periods not kept."""
        columns = self.table.c
        self._update(
            owner, starts_at, reserved=columns.reserved - reserved, spent=columns.spent + cost
        )

    def recount(self, owner: Owner, starts_at: int, ends_at: int | None) -> BudgetWindowRow:
        """What ledger and intents say of the period [starts_at, ends_at)."""
        return BudgetWindowRow(
            owner.kind,
            owner.id,
            starts_at,
            spent=self._sum(schema.ledger, "cost", owner, starts_at, ends_at),
            reserved=self._sum(schema.intents, "reserved", owner, starts_at, ends_at),
        )

    def of(self, owner: Owner) -> list[BudgetWindowRow]:
        """The oldest first."""
        return self._select(*self._owned(owner), order=(self.table.c.starts_at,))

    def forget(self, owner: Owner) -> None:
        self._connection.execute(self.table.delete().where(*self._owned(owner)))

    def _update(
        self, owner: Owner, starts_at: int, *where: sa.ColumnElement[bool], **values: Any
    ) -> int:
        done = self._connection.execute(
            self.table.update()
            .where(*self._owned(owner), self.table.c.starts_at == starts_at, *where)
            .values(**values)
        )
        return done.rowcount

    def _owned(self, owner: Owner) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
        return self.table.c.owner_kind == owner.kind, self.table.c.owner_id == owner.id

    def _sum(
        self, table: sa.Table, column: str, owner: Owner, starts_at: int, ends_at: int | None
    ) -> int:
        query = sa.select(sa.func.coalesce(sa.func.sum(table.c[column]), 0)).where(
            table.c[_OWNER_COLUMN[owner.kind]] == owner.id, table.c.admitted_at >= starts_at
        )
        if ends_at is not None:
            query = query.where(table.c.admitted_at < ends_at)
        return int(self._connection.execute(query).scalar_one())
