"""What a request must be like before anybody asks whose it is. Pure ASGI, as all middleware here.

A page in a browser can send requests to this machine. `Hosts` refuses those that came by a name
bent to it, `Origins` those from pages of elsewhere.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmaas_client.wire import DEADLINE_HEADER, REQUEST_ID_HEADER
from llmaas_server.errors import Problem

from .limits import POLICY_HEADER, RATES_HEADER

MOST_HEADERS = 100
PREFLIGHT_SECONDS = 600
METHODS = "GET, POST, PATCH, DELETE"
READ_BY_PAGES = f"{REQUEST_ID_HEADER}, retry-after, {RATES_HEADER}, {POLICY_HEADER}"
SENT_BY_PAGES = f"authorization, content-type, idempotency-key, {DEADLINE_HEADER}"


class HeaderLimits:
    """Refuses long addresses and many or long headers, also where they came in one piece."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._check(scope)
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = scope["headers"]
        if len(headers) > MOST_HEADERS:
            raise Problem(
                "headers_too_large", f"{len(headers)} headers, and {MOST_HEADERS} is the most"
            )
        size = len(scope["raw_path"]) + len(scope["query_string"])
        size += sum(len(name) + len(value) for name, value in headers)
        if size > self._most_bytes:
            raise Problem(
                "headers_too_large",
                f"the address and the headers have {size} bytes, {self._most_bytes} is the most",
            )


class Hosts:
    """Refuses requests to names that are not this server's."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        """Beside `allowed` names, `localhost` and addresses of numbers, which no name can be bent
        to, are good."""
        self._app = app
        self._allowed = {"localhost", *allowed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host")
            if host is not None and not self._is_ours(_name_of(host)):
                raise Problem(
                    "not_allowed",
                    f"{host!r} is not a name of this server",
                    hint="Ask it by localhost or its address, or set allowed_hosts on the server.",
                )
        await self._app(scope, receive, send)

    def _is_ours(self, name: str) -> bool:
        if name in self._allowed:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


class Origins:
    """Refuses requests of pages from elsewhere, and lets browsers show answers to allowed ones."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None:
            await self._app(scope, receive, send)
        elif origin.lower() in self._allowed:
            await self._share(origin, scope, receive, send)
        elif _is_own(origin, headers.get("host", "")):
            await self._app(scope, receive, send)
        else:
            raise Problem(
                "not_allowed",
                f"pages of {origin[:200]!r} may not use this server",
                hint="Set allowed_origins on the server, if they should.",
            )

    async def _share(self, origin: str, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["access-control-allow-origin"] = origin
                headers["access-control-expose-headers"] = READ_BY_PAGES
                headers.add_vary_header("Origin")
            await send(message)

        asks = Headers(scope=scope).get("access-control-request-method") is not None
        if scope["method"] == "OPTIONS" and asks:
            told = {
                "access-control-allow-methods": METHODS,
                "access-control-allow-headers": SENT_BY_PAGES,
                "access-control-max-age": str(PREFLIGHT_SECONDS),
            }
            await Response(status_code=204, headers=told)(scope, receive, send_shared)
        else:
            await self._app(scope, receive, send_shared)


def _name_of(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_own(origin: str, host: str) -> bool:
    """Whether the page came from this server itself, whose name `Hosts` has checked."""
    scheme, _, name = origin.lower().partition("://")
    return scheme in ("http", "https") and name == host.lower() != ""
