"""What happens to every request before and after its handler. Pure ASGI: streams stay streams."""

from __future__ import annotations

import logging
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmaas_client.wire import REQUEST_ID_HEADER
from llmaas_server.gateway.gate import Gate

from .context import Context, find_principal, set_context, set_principal

access = logging.getLogger("llmaas.access")

PUBLIC = frozenset({"/health/live", "/health/ready"})
"""The addresses that need no key."""


class Contexts:
    """Gives each request an id, sends it back, and writes one line to the access log.

    The line has no query, no header and no body: nothing in it is secret or a user's text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = Context(f"req_{secrets.token_hex(12)}", time.perf_counter())
        set_context(scope, context)
        status: int | None = None

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = context.request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            principal = find_principal(scope)
            access.info(
                "%s %s %s %s %s %.0fms",
                context.request_id,
                principal.key_id if principal else "-",
                scope["method"],
                scope["raw_path"].decode("latin-1"),  # percent-encoded: one line stays one line
                status or "-",
                1000 * (time.perf_counter() - context.started),
            )


class Authenticate:
    """Refuses whoever has no key, before anything of the body is read."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PUBLIC:
            authorization = Headers(scope=scope).get("authorization")
            set_principal(scope, self._gate.identify(authorization))
        await self._app(scope, receive, send)
