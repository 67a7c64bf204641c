"""The ledger: calls that were admitted (intents), and calls that are settled, each exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from . import schema
from .table import Table
from .values import Outcome, Payer


@dataclass(frozen=True, slots=True)
class IntentRow:
    """A call that was admitted and is not yet settled."""

    id: str
    account_id: str
    application_id: str
    key_id: str
    task: str
    model: str
    price_id: int | None
    prompt_tokens: int
    max_completion_tokens: int
    reserved: int
    admitted_at: int

    @property
    def payer(self) -> Payer:
        return Payer(self.account_id, self.application_id, self.key_id)


class Intents(Table[IntentRow]):
    table = schema.intents
    row = IntentRow

    def take(self, call_id: str) -> IntentRow | None:
        """Remove the intent and return it; None where there is none (any more)."""
        taken = self._connection.execute(
            self.table.delete().where(self.table.c.id == call_id).returning(*self._columns())
        ).one_or_none()
        return None if taken is None else IntentRow(*taken)

    def all(self) -> list[IntentRow]:
        """The oldest first."""
        return self._select(order=(self.table.c.admitted_at, self.table.c.id))


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A call that is settled."""

    id: str
    account_id: str
    application_id: str
    key_id: str
    task: str
    model: str
    price_id: int | None
    outcome: Outcome
    code: str | None
    """The code of the error that ended the call, where one did."""
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cpu_us: int
    gpu_us: int
    reserved: int
    cost: int
    admitted_at: int
    settled_at: int


class Ledger(Table[LedgerRow]):
    """Rows are added, never changed: the database refuses it."""

    table = schema.ledger
    row = LedgerRow

    def settled_between(self, start: int, end: int) -> Iterator[LedgerRow]:
        """Rows settled in [start, end), in a fixed order: what a digest of the ledger is over."""
        columns = self.table.c
        yield from self._select(
            columns.settled_at >= start,
            columns.settled_at < end,
            order=(columns.settled_at, columns.id),
        )

    def of_account(
        self, account_id: str, after: tuple[int, str] | None, limit: int
    ) -> list[LedgerRow]:
        """Rows in the order of `admitted_at` and `id`, after those of one row."""
        columns = self.table.c
        where = [columns.account_id == account_id]
        if after is not None:
            where.append(sa.tuple_(columns.admitted_at, columns.id) > sa.tuple_(*after))
        return self._select(*where, order=(columns.admitted_at, columns.id), limit=limit)
