"""Server-sent events: the response that grows."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

from llmaas_client.wire.sse import PING

from .exchange import Exchange


class EventStream:
    """A response of events. Entering sends the headers; leaving ends the body.

    While nothing is written, a comment goes out now and then, so that nobody on the way takes
    the silence for the end.
    """

    def __init__(self, exchange: Exchange, ping_seconds: float) -> None:
        self._exchange = exchange
        self._ping_seconds = ping_seconds
        self._last = time.monotonic()

    async def __aenter__(self) -> EventStream:
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # tells nginx to pass events on as they come
        ]
        await self._exchange.send(
            {"type": "http.response.start", "status": 200, "headers": headers}
        )
        self._pings = asyncio.create_task(self._ping())
        return self

    async def pass_on(self, events: bytes) -> None:
        """Write events, encoded; nothing where there is none."""
        if events:
            await self._send(events)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pings.cancel()
        await asyncio.gather(self._pings, return_exceptions=True)
        if error is None:
            await self._exchange.send({"type": "http.response.body", "body": b""})

    async def _ping(self) -> None:
        while True:
            silent = time.monotonic() - self._last
            if silent >= self._ping_seconds:
                await self._send(PING)
            await asyncio.sleep(self._ping_seconds - max(0, time.monotonic() - self._last))

    async def _send(self, content: bytes) -> None:
        self._last = time.monotonic()
        await self._exchange.send(
            {"type": "http.response.body", "body": content, "more_body": True}
        )
