"""What happens to every request before and after its handler. Pure ASGI: streams stay streams."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmaas_client.wire import REQUEST_ID_HEADER
from llmaas_client.wire.errors import is_server_fault
from llmaas_server.gateway.metrics import METHODS, OTHER, Metrics
from llmaas_server.gateway.tracing import NoTracer, Trace, Tracer
from llmaas_server.storage.keys import KeyKind

from .access_log import Access
from .context import Context, find_principal, set_context, set_principal
from .door import Door
from .endpoint import Endpoint

log = logging.getLogger("llmaas.access")

WATCHED = ("/health/", "/metrics")
"""Addresses that are asked every few seconds by those who watch the server: not traced."""

QUIET = NoTracer()


class Contexts:
    """Gives each request an id, sends it back, counts it, traces it, and writes a line to the
    access log."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracer: Tracer) -> None:
        self._app = app
        self._metrics = metrics
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else OTHER
        tracer = QUIET if scope["path"].startswith(WATCHED) else self._tracer
        with tracer.request(method, Headers(scope=scope)) as trace:
            await self._serve(method, trace, scope, receive, send)

    async def _serve(
        self, method: str, trace: Trace, scope: Scope, receive: Receive, send: Send
    ) -> None:
        context = Context(f"req_{secrets.token_hex(12)}", time.perf_counter(), trace)
        set_context(scope, context)
        status: int | None = None

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = context.request_id
            await send(message)

        self._metrics.began()
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            principal = find_principal(scope)
            access = Access(
                context.request_id,
                trace.id,
                principal.key_id if principal else None,
                method,
                getattr(scope.get("route"), "path", None),
                status,
                1000 * (time.perf_counter() - context.started),
            )
            self._metrics.ended(method, access.route, status, access.duration_ms / 1000)
            _tell(trace, access)
            log.info(access)


class Authenticate:
    """Refuses whoever has no key and no session, before anything of the body is read.

    What is not public by its method and path needs a key, whether it is there or not: strangers
    do not learn what is.
    """

    def __init__(
        self, app: ASGIApp, door: Door, endpoints: Sequence[Endpoint], own: tuple[str, ...] = ()
    ) -> None:
        """`own`: paths that see to their visitors themselves; with a `/` at the end, all below."""
        self._app = app
        self._door = door
        self._own = frozenset(own)
        self._below = tuple(path for path in own if len(path) > 1 and path.endswith("/"))
        self._running = [
            (one.method, compile_path(one.path)[0])
            for one in endpoints
            if one.access.kind in ("task", "any_key")
        ]
        """What takes inference keys."""
        self._public = {(one.method, one.path) for one in endpoints if one.access.is_public}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_public(scope):
            set_principal(scope, await self._door.identify(scope, self._kind))
        await self._app(scope, receive, send)

    def _kind(self, scope: Scope) -> KeyKind:
        """Of the keys that the address takes; a look at every address, for sessions alone."""
        method, path = _method_of(scope), scope["path"]
        runs = any(one == method and pattern.match(path) for one, pattern in self._running)
        return "inference" if runs else "management"

    def _is_public(self, scope: Scope) -> bool:
        path: str = scope["path"]
        if path in self._own or path.startswith(self._below):
            return True
        return (_method_of(scope), scope["path"]) in self._public


def _method_of(scope: Scope) -> str:
    """HEAD is asked for as GET is."""
    method: str = scope["method"]
    return "GET" if method == "HEAD" else method


def _tell(trace: Trace, access: Access) -> None:
    """What a trace says of its request: no more than the access log."""
    if access.route is not None:
        trace.name(f"{access.method} {access.route}")
        trace.note({"http.route": access.route})
    trace.note({"llmaas.request.id": access.request_id})
    if access.status is None:
        trace.fail("cancelled")
    else:
        trace.note({"http.response.status_code": access.status})
        if is_server_fault(access.status):
            trace.fail(str(access.status))
