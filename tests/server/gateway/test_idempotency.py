"""A request that is sent again is answered and billed once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from llmaas_server.errors import Problem
from llmaas_server.gateway.clock import MINUTE
from llmaas_server.gateway.idempotency import Idempotency, Keeper, Unkept
from llmaas_server.seam.values import Usage
from llmaas_server.storage.database import Database
from llmaas_server.storage.usage import UsageFilter
from llmaas_server.storage.values import Payer
from support.accounting import Books
from support.databases import PAYER

OTHER = Payer("acc_2", "app_2", "key_2")
PIECES = [b"start", b"middle", b"end"]


class Vault:
    """Encrypts so that a test can see it: bound to its account and its place."""

    async def seal(self, account_id: str, context: bytes, plain: bytes) -> bytes:
        return b"|".join([account_id.encode(), context, plain[::-1]])

    async def unseal(self, account_id: str, context: bytes, sealed: bytes) -> bytes:
        head = b"|".join([account_id.encode(), context, b""])
        assert sealed.startswith(head)
        return sealed[len(head) :][::-1]


class Service:
    """Answers in three pieces, billed with the last; `steps` lets it go on piece by piece."""

    def __init__(self, database: Database, **options: Any) -> None:
        self.books = Books(database)
        self.answers = Idempotency(database, Vault(), self.books.clock, **options)
        self.runs = 0
        self.ended = asyncio.Event()
        self.steps = asyncio.Semaphore(1000)
        self.failure: Problem | None = None

    async def make(self, keeper: Keeper) -> AsyncGenerator[bytes]:
        self.runs += 1
        try:
            async with self.books.charged(call_id=f"call_{self.runs}") as charge:
                charge.accepted = True
                for piece in PIECES[:-1]:
                    await self.steps.acquire()
                    charge.usage = Usage(10, 0, charge.usage.completion_tokens + 1)
                    yield piece
                await self.steps.acquire()
                if self.failure is not None:
                    raise self.failure
                last = PIECES[-1]
                await charge.settle(charge.bill(), also=await keeper.keep(charge.call_id, last))
                yield last
        finally:
            self.ended.set()

    def ask(
        self, token: str | None = "t", request: bytes = b"r", payer: Payer = PAYER
    ) -> AsyncGenerator[bytes]:
        return self.answers.answer(payer, token, request, self.make)

    async def costs(self) -> dict[str, int]:
        report = await self.books.ledger.usage(UsageFilter(), ["outcome"])
        return {str(row.outcome): row.cost for row in report}


@pytest.fixture
async def service(sqlite_database: Database) -> Service:
    made = Service(sqlite_database)
    await made.books.set_price()
    return made


async def read(answer: AsyncGenerator[bytes]) -> list[bytes]:
    async with aclosing(answer) as pieces:
        return [piece async for piece in pieces]


async def code_of(answer: AsyncGenerator[bytes]) -> str:
    with pytest.raises(Problem) as caught:
        await read(answer)
    return caught.value.code


async def test_the_answer_is_given_again(service: Service) -> None:
    assert await read(service.ask()) == PIECES
    await service.answers.close()  # the run is over, and forgotten
    assert await read(service.ask()) == PIECES
    assert service.runs == 1
    assert await service.costs() == {"completed": 12}


async def test_it_is_given_again_after_a_restart(database_url: str) -> None:
    for _ in range(2):
        database = Database.open(database_url)
        service = Service(database)
        assert await read(service.ask()) == PIECES
        database.close()
    assert service.runs == 0


@pytest.mark.parametrize("token", [None, "other"])
async def test_other_requests_are_others(service: Service, token: str | None) -> None:
    await read(service.ask())
    await read(service.ask(token))
    await read(service.ask(payer=OTHER))
    assert service.runs == 3


async def test_another_request_under_the_same_token(service: Service) -> None:
    service.steps = asyncio.Semaphore(1)
    running = service.ask()
    assert await anext(running) == PIECES[0]
    assert await code_of(service.ask(request=b"another")) == "conflict"
    service.steps.release()
    service.steps.release()
    assert await read(running) == PIECES[1:]
    assert await code_of(service.ask(request=b"another")) == "conflict"
    assert service.runs == 1


async def test_many_at_once_are_answered_by_one_run(service: Service) -> None:
    answers = await asyncio.gather(*(read(service.ask()) for _ in range(20)))
    assert answers == [PIECES] * 20
    assert service.runs == 1
    assert await service.costs() == {"completed": 12}


async def test_one_who_joins_hears_it_from_the_beginning(service: Service) -> None:
    service.steps = asyncio.Semaphore(2)
    first = service.ask()
    assert [await anext(first), await anext(first)] == PIECES[:2]
    joined = service.ask()
    assert [await anext(joined), await anext(joined)] == PIECES[:2]
    service.steps.release()
    assert await read(first) == await read(joined) == PIECES[2:]


async def test_the_work_goes_on_while_somebody_waits(service: Service) -> None:
    service.steps = asyncio.Semaphore(1)
    first, joined = service.ask(), service.ask()
    await anext(first)
    await anext(joined)
    await first.aclose()
    service.steps.release()
    service.steps.release()
    assert await read(joined) == PIECES[1:]
    assert await service.costs() == {"completed": 12}


async def test_the_work_stops_when_the_last_one_leaves(service: Service) -> None:
    service.steps = asyncio.Semaphore(1)
    first, joined = service.ask(), service.ask()
    await anext(first)
    await anext(joined)
    await first.aclose()
    await joined.aclose()
    await asyncio.wait_for(service.ended.wait(), 10)
    assert await service.costs() == {"aborted": 11}
    service.steps = asyncio.Semaphore(3)
    assert await read(service.ask()) == PIECES  # what was aborted may be tried again
    assert service.runs == 2


async def test_one_who_comes_back_while_it_stops_waits_for_the_end(service: Service) -> None:
    service.steps = asyncio.Semaphore(1)
    first = service.ask()
    await anext(first)
    await first.aclose()
    service.steps = asyncio.Semaphore(3)
    assert await read(service.ask()) == PIECES
    assert service.runs == 2
    assert await service.costs() == {"aborted": 11, "completed": 12}


async def test_one_who_left_at_the_last_moment_finds_the_answer(service: Service) -> None:
    """The last piece was on its way into the ledger when the caller went away."""
    settling = asyncio.Event()

    async def make(keeper: Keeper) -> AsyncGenerator[bytes]:
        service.runs += 1
        async with service.books.charged(call_id="call_a") as charge:
            charge.accepted = True
            yield PIECES[0]
            unit = await keeper.keep("call_a", PIECES[1])
            settling.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await charge.settle(charge.bill(), also=unit)
                raise
            yield PIECES[1]

    first = service.answers.answer(PAYER, "t", b"r", make)
    await anext(first)
    await asyncio.wait_for(settling.wait(), 10)
    await first.aclose()
    assert await read(service.answers.answer(PAYER, "t", b"r", make)) == PIECES[:2]
    assert service.runs == 1


async def test_what_failed_is_told_to_all_and_not_kept(service: Service) -> None:
    service.failure = Problem("worker_lost")
    codes = await asyncio.gather(*(code_of(service.ask()) for _ in range(3)))
    assert codes == ["worker_lost"] * 3
    service.failure = None
    assert await read(service.ask()) == PIECES
    assert service.runs == 2
    assert await service.costs() == {"failed": 0, "completed": 12}


async def test_answers_are_kept_for_a_short_time(service: Service) -> None:
    await read(service.ask())
    service.books.clock.advance(10 * MINUTE - 1)
    await read(service.ask())
    assert await service.answers.purge() == 0
    service.books.clock.advance(1)
    await read(service.ask())  # over, also where nobody has purged it yet
    assert service.runs == 2
    service.books.clock.advance(10 * MINUTE)
    assert await service.answers.purge() == 1


async def test_what_is_kept_is_encrypted(service: Service) -> None:
    await read(service.ask("a-telling-token", b"a telling request"))
    sql = "SELECT * FROM answers"
    (row,) = await service.books.database.read(
        lambda tables: tables.answers._connection.exec_driver_sql(sql).fetchall()
    )
    kept = repr(tuple(row))
    assert not any(word in kept for word in ("telling", "start", "middle"))


async def test_an_answer_too_large_to_keep(sqlite_database: Database) -> None:
    service = Service(sqlite_database, most_bytes=len(b"".join(PIECES)) - 1)
    assert await read(service.ask()) == PIECES
    await service.answers.close()  # the run is over, and forgotten
    with pytest.raises(Problem, match=r"call_1 .* too large") as caught:
        await read(service.ask())
    assert caught.value.code == "conflict"
    assert service.runs == 1


@pytest.mark.parametrize("token", ["", " ", "a b", "ü", "a\n", "x" * 256])
async def test_tokens_that_cannot_be(service: Service, token: str) -> None:
    assert await code_of(service.ask(token)) == "invalid_request"
    assert service.runs == 0


async def test_closing_stops_what_runs_and_waits_for_its_bill(service: Service) -> None:
    service.steps = asyncio.Semaphore(1)
    running = service.ask()
    await anext(running)
    await service.answers.close()
    assert await service.costs() == {"aborted": 11}
    assert await code_of(running) == "cancelled"


async def test_turned_off(service: Service) -> None:
    off = Unkept()
    for _ in range(2):
        assert await read(off.answer(PAYER, "t", b"r", service.make)) == PIECES
    assert service.runs == 2
