"""The one module that knows httpx: it carries out the steps of a flow.

A timeout of httpx holds for one operation; ours holds for the whole call, however a server drips.
Async code has `asyncio.timeout` for that. Sync code has only the socket's own timeout, so sockets
are wrapped: before every wait they ask how much time is left.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import httpcore
import httpx

from .clock import Clock
from .config import Config
from .errors import ConfigurationError, Phase
from .sockets import ShrinkingBackend, TidyBackend, Until
from .steps import Action, Broken, Drop, Head, Read, Reply, Send, Sleep

HTTPClient: TypeAlias = httpx.Client
AsyncHTTPClient: TypeAlias = httpx.AsyncClient

MAX_CONNECTIONS = 100
KEEPALIVE_SECONDS = 3.0
"""Less than the 5 seconds after which servers close idle connections, so that a request is not
sent into one that is being closed."""


class Wire:
    """Performs the steps of one call, and holds its response from head to end."""

    def __init__(self, client: httpx.Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._response: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._limit = Until(None)

    def perform(self, step: Action) -> Reply:
        try:
            match step:
                case Send():
                    return self._send(step)
                case Read():
                    return self._read(step)
                case Sleep():
                    self._clock.sleep(step.seconds)
                case Drop():
                    self.close()
        except httpx.HTTPError as error:
            self.close()
            return _broken(error, isinstance(step, Read))
        return None

    def _send(self, step: Send) -> Head:
        self._limit = Until(step.deadline)
        request = _request(self._client, step, self._limit)
        self._response = self._client.send(request, stream=True, follow_redirects=False)
        self._pieces = self._response.iter_bytes()
        return _head(self._response)

    def _read(self, step: Read) -> bytes:
        self._limit.deadline = step.deadline
        return next(self._pieces, b"")

    def close(self) -> None:
        """Let go of the response; where it is not at its end, its socket is closed now."""
        response, self._response = self._response, None
        self._pieces = iter(())
        if response is not None:
            response.close()


class AsyncWire:
    """Performs the steps of one call, and holds its response from head to end."""

    def __init__(self, client: httpx.AsyncClient, clock: Clock) -> None:
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
            return _broken(error, isinstance(step, Read))
        except TimeoutError:
            await self.close()
            phase: Phase = "answer" if self._sent else "connect"
            return Broken("timeout", "body" if isinstance(step, Read) else phase)
        return None

    async def _send(self, step: Send) -> Head:
        self._sent = False
        request = _request(self._client, step, None)
        request.extensions["trace"] = self._trace
        self._response = await self._client.send(request, stream=True, follow_redirects=False)
        self._pieces = self._response.aiter_bytes()
        return _head(self._response)

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


class Pool:
    """The connections of a client: made at first use, and anew in a forked child."""

    def __init__(self, config: Config, given: httpx.Client | None) -> None:
        self._config = config
        self._given = given
        self._own: httpx.Client | None = None
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._of_parents: list[httpx.Client | None] = []

    def get(self) -> httpx.Client:
        if self._given is not None:
            return self._given
        if self._pid != os.getpid():
            self._forked()
        with self._lock:
            if self._own is None:
                self._own = httpx.Client(transport=_Transport(self._config), headers=_headers())
            return self._own

    def _forked(self) -> None:
        """Forget the parent's connections without closing them: they are the parent's still."""
        self._of_parents.append(self._own)
        self._own, self._lock, self._pid = None, threading.Lock(), os.getpid()

    def close(self) -> None:
        """Close what is ours; a client that was given belongs to the giver."""
        own, self._own = self._own, None
        if own is not None and self._pid == os.getpid():
            own.close()


class AsyncPool:
    """The connections of an async client: one set per event loop, made at first use."""

    def __init__(self, config: Config, given: httpx.AsyncClient | None) -> None:
        self._config = config
        self._given = given
        self._own: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = (
            WeakKeyDictionary()
        )

    def get(self) -> httpx.AsyncClient:
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        own = self._own.get(loop)
        if own is None:
            own = self._own[loop] = httpx.AsyncClient(
                transport=_AsyncTransport(self._config), headers=_headers()
            )
        return own

    async def close(self) -> None:
        """Close the connections of the running loop; those of others are theirs to close."""
        own = self._own.pop(asyncio.get_running_loop(), None)
        if own is not None:
            await own.aclose()


class _Transport(httpx.HTTPTransport):
    """httpx's transport over a pool of our own: it has no other way to say how sockets wait.

    The parent's constructor, which makes the pool, is left out on purpose.
    """

    def __init__(self, config: Config) -> None:
        proxy, options = _proxy(config), _options(config)
        self._pool = (
            httpcore.ConnectionPool(network_backend=ShrinkingBackend(), **options)
            if proxy is None
            else httpcore.HTTPProxy(network_backend=ShrinkingBackend(), **proxy, **options)
        )


class _AsyncTransport(httpx.AsyncHTTPTransport):
    """The same for async code."""

    def __init__(self, config: Config) -> None:
        proxy, options = _proxy(config), _options(config)
        self._pool = (
            httpcore.AsyncConnectionPool(network_backend=TidyBackend(), **options)
            if proxy is None
            else httpcore.AsyncHTTPProxy(network_backend=TidyBackend(), **proxy, **options)
        )


def _headers() -> dict[str, str]:
    return {"user-agent": f"llmaas/{version('llmaas')}"}


def _options(config: Config) -> dict[str, Any]:
    # Making a TLS context takes 20 ms; plain HTTP to this machine goes without.
    secure = config.address.scheme == "https"
    return {
        "ssl_context": _trust(config) if secure else None,
        "max_connections": MAX_CONNECTIONS,
        "max_keepalive_connections": MAX_CONNECTIONS,
        "keepalive_expiry": KEEPALIVE_SECONDS,
    }


def _trust(config: Config) -> ssl.SSLContext:
    """TLS to a server whose certificate is checked, always."""
    if config.ca_bundle is None:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=config.ca_bundle)
    except OSError as error:
        reason = "it has no certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError(
            f"ca_bundle {config.ca_bundle} cannot be used: {reason}",
            hint="Name a file of certificates in PEM format.",
        ) from None


def _proxy(config: Config) -> dict[str, Any] | None:
    url = config.proxy()
    if url is None:
        return None
    try:
        proxy = httpx.Proxy(url)
    except (ValueError, httpx.InvalidURL):
        raise _bad_proxy() from None
    if proxy.url.scheme not in ("http", "https"):
        raise _bad_proxy()
    return {"proxy_url": str(proxy.url), "proxy_auth": proxy.raw_auth}


def _bad_proxy() -> ConfigurationError:
    # Without the address: it may have a password in it.
    return ConfigurationError(
        "the proxy that the environment names cannot be used",
        hint="Only http:// and https:// proxies can; for others pass http_client=.",
    )


def _request(
    client: httpx.Client | httpx.AsyncClient, step: Send, limit: Until | None
) -> httpx.Request:
    left = None if limit is None else step.deadline.left()
    timeouts = {"connect": limit, "read": limit, "write": limit, "pool": left}
    try:
        return client.build_request(
            step.method,
            step.url,
            headers=dict(step.headers),
            content=step.body,
            extensions={"timeout": timeouts},
        )
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"base_url is not an address: {error}") from None


def _head(response: httpx.Response) -> Head:
    return Head(response.status_code, response.is_success, response.headers)


def _broken(error: httpx.HTTPError, reading: bool) -> Broken:
    phase: Phase = "body" if reading else "answer"
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return Broken("timeout", "connect")
        case httpx.TimeoutException():
            return Broken("timeout", phase)
        case httpx.ConnectError() | httpx.ProxyError() | httpx.UnsupportedProtocol():
            return _no_connection(error)
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return Broken("lost", phase, str(error) or type(error).__name__)
        case _:
            return Broken("garbled", phase, str(error))


def _no_connection(error: BaseException) -> Broken:
    causes = list(_causes(error))
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Broken("connect", "connect", "connection refused", refused=True)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Broken("connect", "connect", "its name is not known")
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return Broken("connect", "connect", f"TLS failed: {cause.reason or cause}")
    return Broken("connect", "connect", str(error) or "no connection")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, what caused it, and the members of groups: each once."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        item = left.pop()
        if item is None or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        left += [item.__cause__, item.__context__]
        if isinstance(item, BaseExceptionGroup):
            left += item.exceptions  # pyright: ignore[reportUnknownMemberType]
