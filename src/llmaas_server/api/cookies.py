"""What a browser brings: the cookie of a session, and the token that proves a page of our own."""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from llmaas_server.errors import Problem

CSRF_HEADER = "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(scope: Scope) -> str:
    """Under TLS one that no neighbour can set; on loopback, where cookies do not tell ports
    apart, one of this port."""
    if scope["scheme"] == "https":
        return "__Host-llmaas"
    server = scope.get("server")
    return f"llmaas-{server[1] if server else 0}"


def token_of(scope: Scope) -> str | None:
    """The token of a session, where the request brings one."""
    name = cookie_name(scope)
    for header in Headers(scope=scope).getlist("cookie"):
        try:
            found = SimpleCookie(header).get(name)
        except CookieError:
            continue
        if found is not None:
            return found.value
    return None


def give_cookie(scope: Scope, response: Response, token: str, seconds: int) -> None:
    _set(scope, response, token, seconds)


def take_cookie(scope: Scope, response: Response) -> None:
    """Have the browser forget the session."""
    _set(scope, response, "", 0)


def _set(scope: Scope, response: Response, value: str, seconds: int) -> None:
    response.set_cookie(
        cookie_name(scope),
        value,
        max_age=seconds,
        path="/",
        secure=scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )


def check_same_origin(scope: Scope) -> None:
    """That a page of this server sends it. `Origins` refuses foreign ones; this one also refuses
    requests that do not say where they come from. Raises Problem `not_allowed`."""
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site == "same-origin" or (site is None and headers.get("origin") not in (None, "null")):
        return
    raise Problem(
        "not_allowed",
        "a session of the console changes things from its own pages alone",
        hint="Programs use a key: Authorization: Bearer …",
    )


def check_csrf(given: str | None, csrf: str) -> None:
    """Raises Problem `not_allowed`."""
    if not hmac.compare_digest((given or "").encode(), csrf.encode()):
        raise Problem(
            "not_allowed",
            "the page is not of this session",
            hint="Load the page again.",
            param=CSRF_HEADER,
        )
