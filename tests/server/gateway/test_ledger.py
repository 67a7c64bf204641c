"""Every admitted call is settled exactly once, by a written policy."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, get_args

import pytest

from llmaas_server.errors import Problem
from llmaas_server.gateway.ledger import SERVER_LOST, Charge, outcome_of
from llmaas_server.gateway.prices import Rates
from llmaas_server.seam.values import Times, Usage
from llmaas_server.storage.database import Database
from llmaas_server.storage.ledger import IntentRow, LedgerRow
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.usage import DAY, Dimension, UsageFilter
from llmaas_server.storage.values import Payer
from support.accounting import PER_TOKEN, Books, check_counters
from support.databases import PAYER

CANCELLED = asyncio.CancelledError()


async def rows(database: Database) -> list[LedgerRow]:
    return await database.read(lambda tables: list(tables.ledger.settled_between(0, 2**62)))


async def open_calls(database: Database) -> list[IntentRow]:
    return await database.read(lambda tables: tables.intents.all())


@pytest.mark.parametrize(
    ("error", "accepted", "outcome", "code"),
    [
        (CANCELLED, True, "aborted", "cancelled"),
        (GeneratorExit(), True, "aborted", "cancelled"),
        (None, True, "aborted", "cancelled"),
        (Problem("cancelled"), True, "aborted", "cancelled"),
        (Problem("deadline_exceeded"), True, "aborted", "deadline_exceeded"),
        (Problem("worker_lost"), True, "failed", "worker_lost"),
        (Problem("shutting_down"), True, "failed", "shutting_down"),
        (Problem("storage_unavailable"), True, "failed", "storage_unavailable"),
        (ValueError("a defect"), True, "failed", "internal_error"),
        (Problem("overloaded"), False, "rejected", "overloaded"),
        (CANCELLED, False, "rejected", "cancelled"),
    ],
)
async def test_policy(
    sqlite_database: Database, error: BaseException | None, accepted: bool, outcome: str, code: str
) -> None:
    assert outcome_of(error, accepted=accepted) == (outcome, code)
    books = Books(sqlite_database)
    await books.set_price()

    async def run() -> None:
        async with books.charged() as charge:
            charge.accepted = accepted
            charge.usage = Usage(10, 0, 5)
            if error is not None:
                raise error

    if error is None:
        await run()
    else:
        with pytest.raises(type(error)):
            await run()
    (row,) = await rows(sqlite_database)
    charged = 15 if outcome == "aborted" else 0
    assert (row.outcome, row.code, row.cost) == (outcome, code, charged)
    assert row.prompt_tokens + row.completion_tokens == charged
    assert await open_calls(sqlite_database) == []


async def test_an_intent_is_there_before_any_work(database: Database) -> None:
    books = Books(database)
    await books.set_price()
    async with books.charged(call_id="call_a") as charge:
        (intent,) = await open_calls(database)
        assert (intent.id, intent.payer, intent.reserved) == ("call_a", PAYER, 100)
        charge.accepted = True
        charge.usage, charge.times = Usage(10, 4, 20), Times(cpu_us=7)
        books.clock.advance(5)
        bill = charge.bill()
        row = await charge.settle(bill)
    assert (row.outcome, row.cost, bill.cost, row.reserved) == ("completed", 30, 30, 100)
    assert (row.prompt_tokens, row.cached_tokens, row.completion_tokens) == (10, 4, 20)
    assert (row.cpu_us, row.settled_at - row.admitted_at) == (7, 5)
    assert await rows(database) == [row]
    assert await open_calls(database) == []


async def test_a_second_settlement_changes_nothing(database: Database) -> None:
    books = Books(database)
    await books.set_price()
    done: list[str] = []
    async with books.charged() as charge:
        charge.usage = Usage(10, 0, 1)
        first = await charge.settle(charge.bill(), also=lambda tables: done.append("first"))
        charge.usage = Usage(10, 0, 9)
        again = await charge.settle(charge.bill(), also=lambda tables: done.append("second"))
    assert again == first
    assert done == ["first"]
    assert await rows(database) == [first]
    assert books.ledger.spent == {("chat", "m"): first.cost}


async def test_what_was_never_admitted_cannot_be_settled(sqlite_database: Database) -> None:
    books = Books(sqlite_database)
    charge = Charge(books.ledger, "unknown", None, 0)
    with pytest.raises(LookupError, match="unknown"):
        await charge.settle(charge.bill())


async def test_what_is_done_with_a_settlement_is_one_with_it(database: Database) -> None:
    books = Books(database)

    def refuse(tables: Tables) -> None:
        raise RuntimeError("cannot be kept")

    async def run() -> None:
        async with books.charged() as charge:
            charge.accepted = True
            await charge.settle(charge.bill(), also=refuse)

    with pytest.raises(RuntimeError):
        await run()
    (row,) = await rows(database)
    assert (row.outcome, row.code) == ("failed", "internal_error")


async def test_time_is_charged_up_to_the_reservation(sqlite_database: Database) -> None:
    books = Books(sqlite_database)
    await books.prices.set(
        Rates(prompt=PER_TOKEN, completion=PER_TOKEN, cpu_second=1000, most_time=2_000_000)
    )
    async with books.charged() as charge:
        assert charge.reserved == 2100
        charge.usage, charge.times = Usage(10, 0, 10), Times(cpu_us=1_000_000)
        assert charge.bill().cost == 1020
        charge.times = Times(cpu_us=100_000_000)
        assert charge.bill().cost == 2020
        charge.usage = Usage(10, 0, 9_000)  # more than the worker said before
        assert charge.bill().cost == 2100


async def test_a_caller_who_leaves_while_the_intent_is_written(sqlite_database: Database) -> None:
    books = Books(sqlite_database)
    await books.set_price()
    busy, go = threading.Event(), threading.Event()

    def block(tables: Tables) -> None:
        busy.set()
        assert go.wait(10)

    blocked = sqlite_database.submit(block)
    assert await asyncio.to_thread(busy.wait, 10)
    calling = asyncio.create_task(books.call())
    await asyncio.sleep(0)  # it waits for the commit of its intent now
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    go.set()
    blocked.result(10)
    await sqlite_database.write(lambda tables: None)
    (row,) = await rows(sqlite_database)
    assert (row.outcome, row.code, row.cost) == ("rejected", "cancelled", 0)
    assert await open_calls(sqlite_database) == []


async def test_a_caller_who_leaves_while_the_call_is_settled(sqlite_database: Database) -> None:
    books = Books(sqlite_database)
    await books.set_price()
    busy, go = threading.Event(), threading.Event()

    def block(tables: Tables) -> None:
        busy.set()
        assert go.wait(10)

    async def run() -> None:
        async with books.charged() as charge:
            charge.accepted = True
            charge.usage = Usage(10, 0, 90)
            await charge.settle(charge.bill(), also=block)

    running = asyncio.create_task(run())
    assert await asyncio.to_thread(busy.wait, 10)
    running.cancel()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    (row,) = await rows(sqlite_database)
    assert (row.outcome, row.cost) == ("completed", 100)
    assert books.ledger.spent == {("chat", "m"): 100}, "it was counted once, whoever heard of it"


class Failing:
    """A database that cannot write for a while."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.broken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def write(self, unit: Any) -> Any:
        if self.broken:
            raise Problem("storage_unavailable")
        return await self._database.write(unit)


async def test_a_database_that_fails_and_comes_back(sqlite_database: Database) -> None:
    failing = Failing(sqlite_database)
    books = Books(failing)  # type: ignore[arg-type]
    await books.set_price()

    async def run() -> None:
        async with books.charged() as charge:
            charge.accepted = True
            failing.broken = True
            await charge.settle(charge.bill())

    await books.call()
    with pytest.raises(Problem, match="database"):
        await run()
    assert books.ledger.spent == {("chat", "m"): 100}
    with pytest.raises(Problem) as caught:
        await books.call()
    assert caught.value.code == "storage_unavailable"  # nothing is served that cannot be charged
    assert await books.ledger.settle_owed() == 1
    failing.broken = False
    assert await books.ledger.settle_owed() == 0
    row = next(row for row in await rows(sqlite_database) if row.outcome != "completed")
    assert (row.outcome, row.code, row.cost) == ("failed", "storage_unavailable", 0)
    assert books.ledger.spent == {("chat", "m"): 100}
    assert await open_calls(sqlite_database) == []


async def test_calls_of_a_killed_server_cost_nothing(database: Database) -> None:
    books = Books(database)
    await books.set_price()
    left_open = [books.charged() for _ in range(3)]
    for context in left_open:
        await context.__aenter__()
    await books.call()
    assert await books.ledger.recover() == 3
    outcomes = sorted((row.outcome, row.code, row.cost) for row in await rows(database))
    assert outcomes == [("completed", None, 100), *[("failed", SERVER_LOST, 0)] * 3]
    assert await open_calls(database) == []


async def test_reports_sum_to_the_ledger(database: Database) -> None:
    books = Books(database)
    await books.set_price()
    payers = [PAYER, Payer("acc_1", "app_2", "key_2"), Payer("acc_2", "app_3", "key_3")]
    for number in range(9):
        await books.call(number, payer=payers[number % 3])
        books.clock.advance(DAY // 4)
    settled = await rows(database)
    (total,) = await books.ledger.usage(UsageFilter())
    assert total.cost == sum(row.cost for row in settled) == 9 * 10 + sum(range(9))
    assert total.completion_tokens == sum(range(9))
    for dimension in get_args(Dimension):
        report = await books.ledger.usage(UsageFilter(), [dimension])
        assert sum(group.cost for group in report) == total.cost
        assert sum(group.calls for group in report) == 9
    by_both = await books.ledger.usage(UsageFilter(account_id="acc_1"), ["day", "key"])
    assert [(row.day, row.key) for row in by_both] == sorted((r.day, r.key) for r in by_both)
    assert sum(row.calls for row in by_both) == 6
    first_day = settled[0].admitted_at // DAY
    days = await books.ledger.usage(
        UsageFilter(since=first_day * DAY, until=(first_day + 1) * DAY), ["day"]
    )
    assert [row.day for row in days] == [first_day]
    (nothing,) = await books.ledger.usage(UsageFilter(key_id="nobody"))
    assert (nothing.calls, nothing.cost, nothing.key) == (0, 0, None)
    await database.read(check_counters)
