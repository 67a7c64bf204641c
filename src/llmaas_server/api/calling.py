"""What every route that makes a call does with its exchange."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from llmaas_client.wire.base import TaskRequest
from llmaas_server.gateway.calls import Calls
from llmaas_server.gateway.metering import Running
from llmaas_server.seam.values import Call

from .exchange import Exchange

Make = Callable[[Running], AsyncGenerator[bytes]]


async def prepare(
    calls: Calls, exchange: Exchange, task: str, request: TaskRequest, ability: str | None = None
) -> Call:
    """The call for what the exchange asks; see `Calls.prepare`."""
    return await calls.prepare(
        exchange.request_id,
        exchange.principal,
        task,
        request,
        deadline_ms=exchange.deadline_ms,
        ability=ability,
        traced=exchange.trace.is_recorded,
    )


def answer(
    calls: Calls, exchange: Exchange, call: Call, body: bytes, make: Make
) -> AsyncGenerator[bytes]:
    """The pieces of its answer; `body` is what was asked. See `Calls.answer`."""
    return calls.answer(
        call,
        exchange.principal,
        exchange.fingerprint(body),
        exchange.idempotency_key,
        make,
        exchange.trace,
    )


async def send_whole(calls: Calls, exchange: Exchange, pieces: AsyncGenerator[bytes]) -> None:
    """Send an answer of one piece."""
    async with calls.holding(exchange.principal), aclosing(pieces):
        async for whole in pieces:
            await exchange.send_json(whole)
