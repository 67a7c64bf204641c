"""From httpx's exceptions to what became of a connection."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from llmaas_client.errors import Phase
from llmaas_client.steps import Broken


def broken(error: httpx.HTTPError, reading: bool) -> Broken:
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
