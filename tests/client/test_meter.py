"""What a block of a program used."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from decimal import Decimal
from typing import Any

import pytest

from llmaas_client import AsyncClient, Client, LLMaaSError
from support import answers
from support.http_server import Exchange, serving
from support.mapping import TaskServer, refusal


@pytest.fixture
def client() -> Any:
    with serving(TaskServer().answer) as server, Client(server.url) as client:
        yield client


def test_counts_calls_tokens_and_cost(client: Client) -> None:
    client.chat("before")
    with client.meter() as meter:
        client.chat("x")
        client.chat("y")
        client.classify("x", labels=["a", "b"])
    client.chat("after")
    assert (meter.calls, meter.failed) == (3, 0)
    assert (meter.usage.prompt_tokens, meter.usage.completion_tokens) == (15, 6)
    assert meter.cost == Decimal("0.003")
    assert meter.by_task["chat"].calls == 2
    assert meter.by_task["classify"].total_tokens == 7
    assert meter.by_model["tiny"].cost == Decimal("0.003")
    assert repr(meter) == "<Meter: 3 calls, 21 tokens, cost 0.003>"


def test_meters_in_meters(client: Client) -> None:
    with client.meter() as outer:
        client.chat("x")
        with client.meter() as inner, inner:  # entering it twice counts twice
            client.chat("x")
        client.using(model="m").chat("x")
    assert (outer.calls, inner.calls) == (3, 2)


def test_what_only_asks_does_not_count() -> None:
    with (
        serving(lambda exchange: exchange.answer(answers.models())) as server,
        Client(server.url) as client,
        client.meter() as meter,
    ):
        client.models()
    assert (meter.calls, meter.failed, meter.cost) == (0, 0, None)


def test_of_this_client_only(client: Client) -> None:
    with Client(client.base_url) as other, client.meter() as meter:
        other.chat("x")
    assert meter.calls == 0


def test_failed_calls_are_counted_apart() -> None:
    tasks = TaskServer(refuse=lambda exchange, n: refusal(exchange, "context_overflow", "422 No"))
    with (
        serving(tasks.answer) as server,
        Client(server.url) as client,
        client.meter() as meter,
        pytest.raises(LLMaaSError),
    ):
        client.chat("x")
    assert (meter.calls, meter.failed) == (0, 1)
    assert "1 failed" in repr(meter)


def streaming(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("start", answers.START)
    exchange.event("delta", {"text": "Hello"})
    exchange.event("done", answers.chat("Hello"))
    exchange.end_stream()


def test_streams_count_when_they_end() -> None:
    with serving(streaming) as server, Client(server.url) as client, client.meter() as meter:
        with client.chat.stream("x") as live:
            assert meter.calls == 0
            live.finish()
        assert meter.calls == 1
        with client.chat.stream("x") as live:
            next(iter(live))
    assert (meter.calls, meter.failed) == (1, 1), "one was left before its end"


def test_threads_do_not_count_for_each_other(client: Client) -> None:
    together = threading.Barrier(4, timeout=10)

    def work(calls: int) -> tuple[int, int]:
        with client.meter() as meter:
            together.wait()
            for _ in range(calls):
                client.chat("x")
            together.wait()
        return calls, meter.calls

    with ThreadPoolExecutor(4) as pool:
        assert all(made == counted for made, counted in pool.map(work, range(4)))


def test_a_thread_of_the_block_enters_the_meter_or_brings_its_context(client: Client) -> None:
    def work(meter: Any) -> None:
        with meter:
            client.chat("x")

    with client.meter() as meter:
        threads = [
            threading.Thread(target=client.chat, args=("x",)),
            threading.Thread(target=work, args=(meter,)),
            threading.Thread(target=copy_context().run, args=(client.chat, "x")),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert meter.calls == 2


def test_tasks_do_not_count_for_each_other() -> None:
    async def work(client: AsyncClient, calls: int) -> tuple[int, int]:
        with client.meter() as meter:
            await asyncio.gather(*[client.chat("x") for _ in range(calls)])
        return calls, meter.calls

    async def main(url: str) -> None:
        async with AsyncClient(url) as client:
            with client.meter() as whole:
                counts = await asyncio.gather(*[work(client, calls) for calls in range(4)])
            assert all(made == counted for made, counted in counts)
            assert whole.calls == 6

    with serving(TaskServer().answer) as server:
        asyncio.run(main(server.url))
