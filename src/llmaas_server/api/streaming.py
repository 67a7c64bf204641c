"""Send an answer as events: what fails before the first has a status, what fails later is told."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from llmaas_client.wire.errors import ErrorBody
from llmaas_server.gateway.calls import Calls

from .exchange import Exchange
from .problems import body_of
from .stream import EventStream


async def send_events(
    calls: Calls,
    exchange: Exchange,
    pieces: AsyncGenerator[bytes],
    tell: Callable[[ErrorBody], bytes],
    *,
    ping_seconds: float,
) -> None:
    """`tell` makes the event of an error."""
    async with calls.holding(exchange.principal) as lease, aclosing(pieces):
        first = await anext(pieces)  # what fails before it has a status of its own
        async with EventStream(exchange, ping_seconds) as stream:
            await stream.pass_on(first)
            try:
                with lease.telling():
                    async for piece in pieces:
                        await stream.pass_on(piece)
            except Exception as error:
                await stream.pass_on(tell(body_of(error, exchange.request_id)))
