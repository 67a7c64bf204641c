"""The addresses that manage, for a command of the same process: without a network and keys."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import Receive, Scope, Send

from llmaas_client.wire.errors import ErrorCode
from llmaas_server.gateway.access import Access
from llmaas_server.gateway.principals import Actor

from .context import Context, set_actor, set_context
from .endpoint import Endpoint, routes
from .problems import Problems, RouterProblems


class Inside:
    """What `endpoints` serve, as an ASGI application that takes every caller for `actor`."""

    def __init__(self, endpoints: Sequence[Endpoint], actor: Actor) -> None:
        app = Starlette(
            routes=routes(endpoints, _no_check),
            middleware=[Middleware(Problems, count=_uncounted)],
            exception_handlers={HTTPException: RouterProblems(_uncounted)},
        )
        app.router.redirect_slashes = False
        self._app = app
        self._actor = actor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        set_context(scope, Context(f"req_{secrets.token_hex(12)}", time.perf_counter()))
        set_actor(scope, self._actor)
        await self._app(scope, receive, send)


def _no_check(scope: Scope, access: Access) -> None:
    """Whoever can open the database needs no key for it."""


def _uncounted(code: ErrorCode) -> None:
    """Nobody reads metrics of a command."""
