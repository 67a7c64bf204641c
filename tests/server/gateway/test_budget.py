"""Budgets are never overspent, and what is kept of them is what the ledger says."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from llmaas_server.errors import Problem
from llmaas_server.gateway.budget import Window, window_of
from llmaas_server.seam.values import Measurement, Usage
from llmaas_server.storage.database import Database
from llmaas_server.storage.usage import DAY, UsageFilter
from llmaas_server.storage.values import Owner, Payer, Period
from support.accounting import MEASURED, Books, check_counters
from support.databases import PAYER

ACCOUNT, APPLICATION, KEY = (Owner("account", "acc_1"), Owner("application", "app_1"),
                             Owner("key", "key_1"))  # fmt: skip


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("period", "at", "window"),
    [
        ("total", "2024-05-05T05:05:05", ("1970-01-01", None)),
        ("day", "2024-02-29T00:00:00", ("2024-02-29", "2024-03-01")),
        ("day", "2024-02-29T23:59:59", ("2024-02-29", "2024-03-01")),
        ("month", "2024-02-29T12:00:00", ("2024-02-01", "2024-03-01")),
        ("month", "2023-12-31T23:59:59", ("2023-12-01", "2024-01-01")),
    ],
)
def test_periods(period: Period, at: str, window: tuple[str, str | None]) -> None:
    start, end = window
    expected = Window(micros(start), None if end is None else micros(end))
    assert window_of(period, micros(at)) == expected


async def refused(books: Books, measured: Measurement = MEASURED) -> Problem:
    with pytest.raises(Problem) as caught:
        async with books.charged(measured):
            pass
    assert caught.value.code == "budget_exceeded"
    return caught.value


async def left(books: Books, owner: Owner) -> tuple[int, int, int]:
    (standing,) = await books.budgets.standing([owner])
    return standing.spent, standing.reserved, standing.left


async def test_of_200_calls_at_once_50_are_served(database: Database) -> None:
    books = Books(database)
    await books.set_price()
    await books.budgets.set(ACCOUNT, "month", 50 * 100)
    results = await asyncio.gather(*(books.call() for _ in range(200)), return_exceptions=True)
    served = [result for result in results if not isinstance(result, BaseException)]
    refusals = [result.code for result in results if isinstance(result, Problem)]
    assert len(served) == 50
    assert refusals == ["budget_exceeded"] * 150
    assert await left(books, ACCOUNT) == (5000, 0, 0)
    (total,) = await books.ledger.usage(UsageFilter())
    assert (total.calls, total.cost) == (50, 5000)


async def test_a_reservation_holds_until_the_call_is_settled(database: Database) -> None:
    books = Books(database)
    await books.set_price()
    await books.budgets.set(KEY, "day", 150)
    async with books.charged() as charge:
        assert await left(books, KEY) == (0, 100, 50)
        problem = await refused(books)
        assert problem.retry_after == 1.0  # what is missing is only reserved
        charge.accepted = True
        charge.usage = Usage(10, 0, 20)
        await charge.settle(charge.bill())
    assert await left(books, KEY) == (30, 0, 120)
    await books.call()
    problem = await refused(books)
    assert "0.00000002 is left" in problem.message
    assert problem.retry_after == (DAY - books.clock() % DAY) / 1_000_000


async def test_every_budget_on_the_way_binds_and_none_is_touched_by_a_refusal(
    database: Database,
) -> None:
    books = Books(database)
    await books.set_price()
    await books.budgets.set(KEY, "total", 1000)
    await books.budgets.set(APPLICATION, "month", 1000)
    await books.budgets.set(ACCOUNT, "day", 250)
    await books.call()
    await books.call()
    await refused(books)
    assert [await left(books, owner) for owner in (KEY, APPLICATION, ACCOUNT)] == [
        (200, 0, 800),
        (200, 0, 800),
        (200, 0, 50),
    ]
    await books.call(0, Measurement(50, 0))
    await database.read(check_counters)


async def test_other_payers_do_not_count(sqlite_database: Database) -> None:
    books = Books(sqlite_database)
    await books.set_price()
    await books.budgets.set(KEY, "total", 100)
    await books.budgets.set(ACCOUNT, "total", 200)
    await books.call(payer=Payer("acc_1", "app_1", "key_2"))
    await books.call(payer=Payer("acc_2", "app_3", "key_3"))
    assert await left(books, KEY) == (0, 0, 100)
    assert await left(books, ACCOUNT) == (100, 0, 100)


async def test_a_new_period_begins_with_the_whole_budget(database: Database) -> None:
    books = Books(database)
    await books.set_price()
    await books.budgets.set(ACCOUNT, "day", 100)
    async with books.charged() as over_midnight:
        books.clock.advance(DAY)
        assert await left(books, ACCOUNT) == (0, 0, 100)
        await books.call()
        await refused(books)
        over_midnight.accepted = True
        over_midnight.usage = Usage(10, 0, 90)
        await over_midnight.settle(over_midnight.bill())
    # Paid by the day on which it was admitted.
    assert await left(books, ACCOUNT) == (100, 0, 0)
    await database.read(check_counters)


async def test_a_budget_set_later_counts_what_is_spent_and_reserved(database: Database) -> None:
    books = Books(database)
    await books.set_price()
    await books.call()
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(books.charged())
        await books.budgets.set(ACCOUNT, "month", 250)
        assert await left(books, ACCOUNT) == (100, 100, 50)
        await books.budgets.set(ACCOUNT, "total", 300)
        assert await left(books, ACCOUNT) == (100, 100, 100)
        running.accepted = True
        running.usage = Usage(10, 0, 0)
        await running.settle(running.bill())
    assert await left(books, ACCOUNT) == (110, 0, 190)
    await books.budgets.set(ACCOUNT, "total", 50)
    assert await left(books, ACCOUNT) == (110, 0, 0)
    await refused(books)
    await books.budgets.remove(ACCOUNT)
    assert await books.budgets.standing([ACCOUNT]) == []
    await books.call()


async def test_what_costs_nothing_needs_no_budget(sqlite_database: Database) -> None:
    books = Books(sqlite_database)
    await books.budgets.set(ACCOUNT, "total", 0)
    row = await books.call()
    assert (row.cost, row.price_id) == (0, None)
    await books.set_price()
    await refused(books)


async def test_a_crash_does_not_overspend(database_url: str) -> None:
    database = Database.open(database_url)
    books = Books(database)
    await books.set_price()
    await books.budgets.set(ACCOUNT, "total", 300)
    await books.call()
    unfinished = books.charged()
    await unfinished.__aenter__()
    database.close()  # as if killed: the call never ends

    database = Database.open(database_url)
    after = Books(database)
    await after.prices.load()
    assert await left(after, ACCOUNT) == (100, 100, 100)
    assert await after.ledger.recover() == 1
    assert await left(after, ACCOUNT) == (100, 0, 200)
    assert await after.ledger.recover() == 0
    database.close()


async def test_amounts_that_cannot_be(sqlite_database: Database) -> None:
    books = Books(sqlite_database)
    for amount in (-1, 2**63):
        with pytest.raises(Problem):
            await books.budgets.set(ACCOUNT, "total", amount)
    assert await books.budgets.standing(PAYER.owners) == []
