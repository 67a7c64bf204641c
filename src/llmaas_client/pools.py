"""The connections of a client. The HTTP library is loaded when the first of them is needed."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .config import Config

if TYPE_CHECKING:
    import asyncio

    from .http import AsyncHTTPClient, HTTPClient


@dataclass(slots=True)
class _Connections:
    """What one process has of them."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    client: HTTPClient | None = None


class Pool:
    """The connections of a client: made at first use, and anew in a forked child.

    What the parent had is kept there untouched: closing it would close the parent's sockets.
    """

    def __init__(self, config: Config, given: HTTPClient | None) -> None:
        self._config = config
        self.given = given
        self._of_process: dict[int, _Connections] = {}

    def get(self) -> HTTPClient:
        if self.given is not None:
            return self.given
        from .http.sync import connect

        # setdefault is one step: threads of a forked child cannot both make an entry
        own = self._of_process.setdefault(os.getpid(), _Connections())
        with own.lock:
            if own.client is None:
                own.client = connect(self._config)
            return own.client

    def close(self) -> None:
        """Close what is ours; a client that was given belongs to the giver."""
        own = self._of_process.pop(os.getpid(), None)
        if own is not None and own.client is not None:
            own.client.close()


class AsyncPool:
    """The connections of an async client: one set per event loop, made at first use.

    A forked child has them anew, as in `Pool`.
    """

    def __init__(self, config: Config, given: AsyncHTTPClient | None) -> None:
        self._config = config
        self.given = given
        self._of_process: dict[
            int, WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncHTTPClient]
        ] = {}

    def get(self) -> AsyncHTTPClient:
        if self.given is not None:
            return self.given
        from asyncio import get_running_loop

        from .http.aio import connect

        own = self._of_process.setdefault(os.getpid(), WeakKeyDictionary())
        loop = get_running_loop()
        client = own.get(loop)
        if client is None:
            client = own[loop] = connect(self._config)
        return client

    async def close(self) -> None:
        """Close the connections of the running loop; those of others are theirs to close."""
        from asyncio import get_running_loop

        own = self._of_process.get(os.getpid())
        client = None if own is None else own.pop(get_running_loop(), None)
        if client is not None:
            await client.aclose()
