"""Budgets: what a key, an application or an account may cost in a period.

The worst case of a call is reserved before it begins, in the transaction that admits it; what it
really costs takes the place of the reservation when it is settled, and is never more. So spent
and reserved together never exceed a budget, whatever happens in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from llmaas_server.errors import Problem
from llmaas_server.storage.budgets import BudgetRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables, Unit, nothing
from llmaas_server.storage.usage import DAY
from llmaas_server.storage.values import Owner, Payer, Period

from .clock import SECOND, Clock
from .money import MOST, to_text

BUSY_SECONDS = 1.0
"""When to ask again where running calls hold what is left."""


@dataclass(frozen=True, slots=True)
class Window:
    """One period, [starts_at, ends_at), in UTC."""

    starts_at: int
    ends_at: int | None
    """None is never."""


def window_of(period: Period, at: int) -> Window:
    """The period in which a moment lies."""
    if period == "total":
        return Window(0, None)
    if period == "day":
        start = at // DAY * DAY
        return Window(start, start + DAY)
    first = datetime.fromtimestamp(at // SECOND, UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    december = first.month == 12
    following = first.replace(year=first.year + december, month=1 if december else first.month + 1)
    return Window(_micros(first), _micros(following))


def _micros(moment: datetime) -> int:
    return int(moment.timestamp()) * SECOND


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget and where it stands in the period that runs now."""

    budget: BudgetRow
    window: Window
    spent: int
    reserved: int

    @property
    def left(self) -> int:
        """What calls may still reserve; 0 where the budget was lowered below what is gone."""
        return max(0, self.budget.amount - self.spent - self.reserved)


def reserve(tables: Tables, payer: Payer, cost: int, at: int) -> None:
    """Reserve `cost` from every budget on the way to the account, or from none.

    Inside the unit of work that admits the call, before its intent is added. Raises Problem
    `budget_exceeded`, which undoes the unit. What costs nothing needs no budget.
    """
    if not cost:
        return
    for budget in tables.budgets.of(payer.owners):
        standing = _standing(tables, budget, at, keep=True)
        taken = tables.budget_windows.reserve(
            budget.owner, standing.window.starts_at, cost, budget.amount
        )
        if not taken:
            raise _exceeded(standing, cost, at)


def settle(tables: Tables, payer: Payer, admitted_at: int, reserved: int, cost: int) -> None:
    """Put the cost into the place of the reservation, in the period that it was made in."""
    for budget in tables.budgets.of(payer.owners):
        window = window_of(budget.period, admitted_at)
        tables.budget_windows.settle(budget.owner, window.starts_at, reserved, cost)


class Budgets:
    """Sets budgets, and says where they stand."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def set(
        self, owner: Owner, period: Period, amount: int, *, also: Unit[None] = nothing
    ) -> None:
        """Give the owner a budget, in the place of an earlier one.

        What was spent in the period that runs counts. `also` is done in the same transaction.
        Raises Problem `invalid_request`.
        """

        def unit(tables: Tables) -> None:
            put(tables, BudgetRow(owner.kind, owner.id, period, amount), self._clock())
            also(tables)

        await self._database.write(unit)

    async def remove(self, owner: Owner, *, also: Unit[None] = nothing) -> None:
        """Let the owner spend without a bound; no error where there was no budget."""

        def unit(tables: Tables) -> None:
            take_away(tables, owner)
            also(tables)

        await self._database.write(unit)

    async def standing(self, owners: Sequence[Owner]) -> list[Standing]:
        """Of those owners that have a budget, in the order of the owners."""
        now = self._clock()

        return await self._database.read(lambda tables: standings(tables, owners, now))


def standings(tables: Tables, owners: Sequence[Owner], at: int) -> list[Standing]:
    """See `Budgets.standing`; inside a unit of work."""
    return [_standing(tables, budget, at, keep=False) for budget in tables.budgets.of(owners)]


def put(tables: Tables, row: BudgetRow, at: int) -> None:
    """Set a budget inside a unit of work; see `Budgets.set`."""
    if not 0 <= row.amount <= MOST:
        raise Problem("invalid_request", "a budget is not negative", param="amount")
    take_away(tables, row.owner)
    tables.budgets.add(row)
    _standing(tables, row, at, keep=True)


def take_away(tables: Tables, owner: Owner) -> None:
    """Remove a budget inside a unit of work, if there is one."""
    tables.budgets.remove(owner.kind, owner.id)
    tables.budget_windows.forget(owner)


def _standing(tables: Tables, budget: BudgetRow, at: int, *, keep: bool) -> Standing:
    """Where a budget stands. A period seen for the first time is counted, and kept if asked."""
    window = window_of(budget.period, at)
    row = tables.budget_windows.get(budget.owner_kind, budget.owner_id, window.starts_at)
    if row is None:
        row = tables.budget_windows.recount(budget.owner, window.starts_at, window.ends_at)
        if keep:
            tables.budget_windows.add(row)
    return Standing(budget, window, row.spent, row.reserved)


def _exceeded(standing: Standing, cost: int, at: int) -> Problem:
    budget, ends_at = standing.budget, standing.window.ends_at
    if standing.spent + cost <= budget.amount:
        retry_after: float | None = BUSY_SECONDS
    else:
        retry_after = None if ends_at is None else (ends_at - at) / SECOND
    return Problem(
        "budget_exceeded",
        f"this call may cost {to_text(cost)}, and of the budget of {budget.owner_kind} "
        f"{budget.owner_id} ({to_text(budget.amount)}, period: {budget.period}) "
        f"{to_text(standing.left)} is left: {to_text(standing.spent)} is spent, "
        f"{to_text(standing.reserved)} is reserved by running calls",
        retry_after=retry_after,
    )
