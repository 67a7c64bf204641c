"""Sockets that keep to the time for the whole call, and that close when they are given up.

For sync code: before every wait they ask how much time is left.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Self

import httpcore

from .clock import Deadline

WRITE_BYTES = 16 * 1024
"""Written at once: less than the room that makes a socket writable, so one wait sends it all."""
WEEK = 7 * 24 * 3600.0


class Until(float):
    """A timeout in seconds that shrinks: `left()` is what remains of the deadline now.

    It travels through httpx as the number that it was when it was made, which is what code that
    does not know it sees; no end at all looks like a week to it.
    """

    deadline: Deadline | None
    given_up: bool
    stream: ShrinkingStream | None
    """The connection that waits by it."""

    def __new__(cls, deadline: Deadline | None) -> Self:
        left = None if deadline is None else deadline.left()
        until = super().__new__(cls, WEEK if left is None else left)
        until.deadline = deadline
        until.given_up = False
        until.stream = None
        return until

    def left(self) -> float | None:
        if self.given_up:
            return 0.0
        return None if self.deadline is None else self.deadline.left()

    def give_up(self) -> None:
        """End the wait now. For other threads than the one that waits."""
        self.given_up = True
        if self.stream is not None:
            self.stream.interrupt()


def _left(timeout: float | None, over: type[Exception]) -> float | None:
    """Seconds for the next wait. Raises `over` where none are left."""
    seconds = timeout.left() if isinstance(timeout, Until) else timeout
    if seconds is not None and seconds <= 0:
        raise over("the time for the call is over")
    return seconds


class ShrinkingBackend(httpcore.NetworkBackend):
    """httpcore's own sockets, each wait bounded by what is left of the call."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Try the addresses of `host` one after the other, within the one timeout."""
        options = list(socket_options or ())
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in _addresses(host, port):
            left = _left(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(address, port, left, local_address, options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return ShrinkingStream(stream)
        raise failure


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class ShrinkingStream(httpcore.NetworkStream):
    """One connection of `ShrinkingBackend`."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._bind(timeout)
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._bind(timeout)
        for start in range(0, len(buffer), WRITE_BYTES):
            left = _left(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + WRITE_BYTES], left)

    def close(self) -> None:
        self._inner.close()

    def interrupt(self) -> None:
        """End what waits for this connection in another thread; the connection is of no more use.

        The plain socket is told also where TLS is spoken: its owner is in the middle of a read.
        """
        sock = self._inner.get_extra_info("socket")
        if isinstance(sock, socket.socket):
            with suppress(OSError):  # closed already
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _bind(self, timeout: float | None) -> None:
        if isinstance(timeout, Until):
            timeout.stream = self

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return ShrinkingStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class TidyBackend(httpcore.AsyncNetworkBackend):
    """httpcore's own sockets for async code, which close when a TLS handshake is cancelled."""

    def __init__(self) -> None:
        self._inner: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return TidyStream(stream)


class TidyStream(httpcore.AsyncNetworkStream):
    """One connection of `TidyBackend`, before TLS."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._inner.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
