"""How uvicorn serves for us: one connection class, one loop, nothing of the environment."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import uvicorn

from .bounds import Bounds
from .connection import Connection
from .peers import Peers
from .tls import Tls

KEEP_ALIVE_SECONDS = 75
"""How long a connection without a request stays open; longer than clients keep theirs."""


class EdgeConfig(uvicorn.Config):
    """What every connection is served by, with what our own `Connection` needs."""

    def __init__(
        self, app: Callable[..., Any], bounds: Bounds, tls: Tls | None, *, grace_seconds: int
    ) -> None:
        peers = Peers(bounds.proxies, bounds.connections_per_address)
        super().__init__(
            app,
            # uvicorn calls it with keywords, and asks nothing else of it.
            http=cast("type[asyncio.Protocol]", partial(Connection, bounds, peers)),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(bounds.proxies),
            forwarded_allow_ips=list(bounds.proxies),
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=grace_seconds,
            h11_max_incomplete_event_size=bounds.header_bytes,
            ssl_context_factory=None if tls is None else lambda config, default: tls.context(),
        )
        self._bounds = bounds

    def get_loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop] | None:
        return lambda: _Loop(self._bounds.receive_seconds)


class _Loop(asyncio.SelectorEventLoop):
    """asyncio's own, in which a TLS handshake must come as quickly as a request."""

    def __init__(self, handshake_seconds: float) -> None:
        super().__init__()
        self._handshake_seconds = handshake_seconds

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        if isinstance(options.get("ssl"), ssl.SSLContext):
            options["ssl_handshake_timeout"] = self._handshake_seconds
        server: asyncio.Server = await super().create_server(*args, **options)
        return server
