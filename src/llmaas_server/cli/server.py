"""uvicorn, with an end that says goodbye: calls in flight get an answer or a typed error."""

from __future__ import annotations

import asyncio
import math
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from llmaas_server.edge.bounds import Bounds
from llmaas_server.edge.config import EdgeConfig
from llmaas_server.edge.tls import Tls
from llmaas_server.errors import Problem
from llmaas_server.seam.backend import Backend

LAST_WORDS_SECONDS = 5
"""For responses to be written after the calls have ended."""


class Server(uvicorn.Server):
    """Serves on a listening socket until SIGINT or SIGTERM; a second SIGINT ends it at once."""

    def __init__(
        self,
        app: Callable[..., Any],
        backend: Backend,
        *,
        grace_seconds: float,
        on_listening: Callable[[], None],
        on_ready: Callable[[], None],
        bounds: Bounds,
        tls: Tls | None = None,
    ) -> None:
        """Where the backend will not be ready, the server ends, and `failure` says why."""
        config = EdgeConfig(
            app, bounds, tls, grace_seconds=math.ceil(grace_seconds) + LAST_WORDS_SECONDS
        )
        super().__init__(config)
        self._backend = backend
        self._grace_seconds = grace_seconds
        self._tls = tls
        self._on_listening = on_listening
        self._on_ready = on_ready
        self._announcing: asyncio.Task[None] | None = None
        self.failure: Problem | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._tls is not None and _is_main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._tls.reload)
        self._on_listening()
        self._announcing = asyncio.create_task(self._announce(), name="announce")

    async def _announce(self) -> None:
        """Say that it is ready when the first request will be served at once."""
        try:
            await self._backend.ready()
        except Problem as problem:
            if not self.should_exit:
                self.failure = problem
                self.should_exit = True
        else:
            if not self.should_exit:
                self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """No new connections; the calls in flight may end within the grace."""
        ending = asyncio.create_task(self._backend.stop(self._grace_seconds))
        await super().shutdown(sockets)
        if self.force_exit:
            ending.cancel()
            await self._backend.stop(0)
        await asyncio.gather(ending, return_exceptions=self.force_exit)
        if self._announcing is not None:
            self._announcing.cancel()
            await asyncio.wait({self._announcing})

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's own, does not raise the signal again: asked to end, it ends well."""
        if not _is_main_thread():
            yield  # signals go to the main thread alone
            return
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
