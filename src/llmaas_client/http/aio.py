"""The steps of a call, carried out with awaiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpcore
import httpx

from llmaas_client.clock import Clock
from llmaas_client.config import Config
from llmaas_client.errors import Phase
from llmaas_client.sockets import TidyBackend
from llmaas_client.steps import Action, Broken, Drop, Head, Read, Reply, Send, Sleep

from .causes import broken
from .requests import head_of, request_of
from .transport import headers, options_of, proxy_of


class AsyncWire:
    """Performs the steps of one call, and holds its response from head to end."""

    def __init__(self, client: Callable[[], httpx.AsyncClient], clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._response: httpx.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None
        self._sent = False

    async def perform(self, step: Action) -> Reply:
        try:
            match step:
                case Send():
                    async with asyncio.timeout(step.deadline.left()):
                        return await self._send(step)
                case Read():
                    async with asyncio.timeout(step.deadline.left()):
                        return await self._read()
                case Sleep():
                    await self._clock.sleep_async(step.seconds)
                case Drop():
                    await self.close()
        except httpx.HTTPError as error:
            await self.close()
            return broken(error, isinstance(step, Read))
        except TimeoutError:
            await self.close()
            phase: Phase = "answer" if self._sent else "connect"
            return Broken("timeout", "body" if isinstance(step, Read) else phase)
        return None

    async def _send(self, step: Send) -> Head:
        self._sent = False
        client = self._client()
        request = request_of(client, step, None)
        request.extensions["trace"] = self._trace
        self._response = await client.send(request, stream=True, follow_redirects=False)
        self._pieces = self._response.aiter_bytes()
        return head_of(self._response)

    async def _read(self) -> bytes:
        return b"" if self._pieces is None else await anext(self._pieces, b"")

    async def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self._sent = True

    async def close(self) -> None:
        """Let go of the response; where it is not at its end, its socket is closed now."""
        response, self._response = self._response, None
        self._pieces = None
        if response is not None:
            await response.aclose()


def connect(config: Config) -> httpx.AsyncClient:
    """Connections of our own, made when they are needed."""
    return httpx.AsyncClient(transport=_AsyncTransport(config), headers=headers())


class _AsyncTransport(httpx.AsyncHTTPTransport):
    """The same for async code."""

    def __init__(self, config: Config) -> None:
        proxy, options = proxy_of(config), options_of(config)
        self._pool = (
            httpcore.AsyncConnectionPool(network_backend=TidyBackend(), **options)
            if proxy is None
            else httpcore.AsyncHTTPProxy(network_backend=TidyBackend(), **proxy, **options)
        )
