"""What calls cost: exact sums, rounded once, never more than what was said before."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmaas_server.errors import Problem
from llmaas_server.gateway.prices import Prices, Rates, choose, cost, quote
from llmaas_server.seam.values import Measurement, Times, Usage
from llmaas_server.storage.database import Database
from llmaas_server.storage.prices import PriceRow
from support.clocks import ManualClock

FREE = PriceRow(1, None, None, 0, 0, 0, 0, 0, 0, 0, 0)
TOKENS = replace(FREE, prompt=150_000_000, cached=15_000_000, completion=600_000_000)

amounts = st.integers(0, 10**12)
tokens = st.integers(0, 10**6)


@pytest.mark.parametrize(
    ("usage", "nano"),
    [
        (Usage(), 0),
        (Usage(1_000_000, 0, 0), 150_000_000),
        (Usage(1_000_000, 1_000_000, 0), 15_000_000),
        (Usage(100, 40, 10), 60 * 150 + 40 * 15 + 10 * 600),
        (Usage(0, 0, 1), 600),
    ],
)
def test_tokens(usage: Usage, nano: int) -> None:
    assert cost(TOKENS, usage) == nano


def test_the_sum_is_rounded_up_once() -> None:
    third = replace(FREE, prompt=333_333, completion=333_333)
    assert cost(third, Usage(1, 0, 0)) == 1
    assert cost(third, Usage(2, 0, 1)) == 1  # 0.999999, not 1 + 1
    assert cost(third, Usage(2, 0, 2)) == 2


def test_time() -> None:
    price = replace(FREE, cpu_second=1000, gpu_second=9000, most_time=2_000_000)
    assert quote(price, Measurement(5, 5)) == 18_000
    assert cost(price, Usage(), Times(cpu_us=1_500_000)) == 1500
    assert cost(price, Usage(), Times(cpu_us=1_000_000, gpu_us=500_000)) == 5500
    assert cost(price, Usage(), Times(gpu_us=60_000_000)) == 18_000  # no more than was reserved


@st.composite
def prices(draw: st.DrawFn) -> PriceRow:
    numbers = [draw(amounts) for _ in range(6)]
    prompt, cached, completion, cpu, gpu, most = numbers
    return PriceRow(1, None, None, prompt, cached, completion, cpu, gpu, most, 0, 0)


@given(prices(), tokens, tokens, st.data())
def test_no_call_costs_more_than_its_quote(
    price: PriceRow, prompt: int, most: int, data: st.DataObject
) -> None:
    cached = data.draw(st.integers(0, prompt))
    completion = data.draw(st.integers(0, most))
    times = Times(data.draw(amounts), data.draw(amounts))
    paid = cost(price, Usage(prompt, cached, completion), times)
    assert 0 <= paid <= quote(price, Measurement(prompt, most))


@given(prices(), tokens, tokens)
def test_the_quote_of_exact_usage_is_its_cost(price: PriceRow, prompt: int, most: int) -> None:
    tokens_only = replace(price, cpu_second=0, gpu_second=0, cached=0)
    assert cost(tokens_only, Usage(prompt, 0, most)) == quote(
        tokens_only, Measurement(prompt, most)
    )


@given(prices(), tokens, tokens)
def test_cost_is_the_exact_sum(price: PriceRow, prompt: int, completion: int) -> None:
    exact = Fraction(prompt * price.prompt + completion * price.completion, 10**6)
    assert cost(price, Usage(prompt, 0, completion)) == ceil(exact)


def row(number: int, model: str | None, task: str | None, valid_from: int = 0) -> PriceRow:
    return replace(FREE, id=number, model=model, task=task, valid_from=valid_from)


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([], None),
        ([row(1, "other", None)], None),
        ([row(1, None, None), row(2, None, "chat")], 2),
        ([row(1, "m", None), row(2, None, "chat")], 1),
        ([row(1, "m", "chat"), row(2, "m", None)], 1),
        ([row(1, None, None, 5), row(2, None, None, 10), row(3, None, None, 11)], 2),
        ([row(1, None, None, 10), row(2, None, None, 10)], 2),
        ([row(1, "m", None, 11), row(2, None, None, 0)], 2),  # not valid yet
    ],
)
def test_choice(rows: list[PriceRow], chosen: int | None) -> None:
    found = choose(rows, "m", "chat", at=10)
    assert (found and found.id) == chosen


async def test_versions(database: Database) -> None:
    clock = ManualClock()
    service = Prices(database, clock)
    await service.load()
    assert service.now("m", "chat") is None
    first = await service.set(Rates(prompt=1))
    clock.advance(10)
    second = await service.set(Rates(prompt=2), model="m", valid_from=clock() + 5)
    assert service.now("m", "chat") == first
    clock.advance(5)
    assert service.now("m", "chat") == second
    assert service.now("n", "chat") == first
    again = Prices(database, clock)
    await again.load()
    assert again.rows == service.rows == (first, second)


@pytest.mark.parametrize(
    ("rates", "valid_from", "param"),
    [
        (Rates(prompt=-1), None, None),
        (Rates(completion=2**63), None, None),
        (Rates(gpu_second=1), None, "most_seconds"),
        (Rates(), 1, "valid_from"),
    ],
)
async def test_prices_that_cannot_be(
    sqlite_database: Database, rates: Rates, valid_from: int | None, param: str | None
) -> None:
    service = Prices(sqlite_database, ManualClock(at=100))
    with pytest.raises(Problem) as caught:
        await service.set(rates, valid_from=valid_from)
    assert (caught.value.code, caught.value.param) == ("invalid_request", param)
    assert service.rows == ()


async def test_a_change_and_its_record_are_one(sqlite_database: Database) -> None:
    service = Prices(sqlite_database, ManualClock())

    def refuse(tables: object) -> None:
        raise RuntimeError("the record cannot be written")

    with pytest.raises(RuntimeError):
        await service.set(Rates(prompt=1), also=refuse)
    assert service.rows == ()
    await service.load()
    assert service.rows == ()
