"""The one room that knows httpx: it carries out the steps of a flow.

A timeout of httpx holds for one operation; ours holds for the whole call, however a server drips.
Async code has `asyncio.timeout` for that. Sync code has only the socket's own timeout, so sockets
are wrapped: before every wait they ask how much time is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import httpx

    HTTPClient: TypeAlias = httpx.Client
    AsyncHTTPClient: TypeAlias = httpx.AsyncClient
