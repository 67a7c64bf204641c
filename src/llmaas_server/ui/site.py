"""The console as one ASGI application: its own visitors, its own errors, its own headers."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from llmaas_client.wire.errors import ERRORS
from llmaas_server.api.context import get_context
from llmaas_server.api.door import address_of
from llmaas_server.api.problems import body_of, respond
from llmaas_server.errors import Problem

from .assets import Assets, Static
from .entrance import CONFIRM, HOME, PASSWORD, SIGN_OUT, Entrance, lead_to, sign_in_first
from .page import Page, find_pages
from .rendering import Renderer
from .uploads import Uploads
from .visit import House, Visit

PREFIX = "/console"
STATIC = f"{PREFIX}/static"
DOCS = "/docs"
"""Where people look for the description of an API; it is the page of that name below."""


class Site:
    """Everything below `/console`."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._pages = find_pages()
        assets = Assets(STATIC)
        self._renderer = Renderer(assets, {"version": house.version, "home": HOME})
        self._entrance = Entrance(house.services, self._renderer, house.settings.console_hours)
        self._router = Router(
            [
                Route("/static/{version}/{name:path}", Static(assets), methods=["GET"]),
                *self._entrance.routes(),
                Route("/read", Uploads(self._entrance.session).read, methods=["POST"]),
                *(Route(page.path, self._handler(page)) for page in self._pages),
            ],
            redirect_slashes=False,
        )
        self._router.default = self._nowhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Errors become pages: what happened, and what to do."""
        try:
            await self._router(scope, receive, send)
        except Exception as error:
            response = self._problem_page(scope, error)
            await response(scope, receive, send)

    def _handler(self, page: Page) -> Any:
        async def handle(request: Request) -> Response:
            session = await self._entrance.session(request)
            if session is None:
                return sign_in_first(request)
            if not session.has_password:
                return lead_to(PASSWORD)
            visit = Visit(
                self._house,
                session,
                address_of(request.scope),
                request.path_params,
                dict(request.query_params),
            )
            if not visit.may(page.action):
                raise Problem(
                    "not_allowed",
                    f"{page.title} is for those who run the server",
                    hint="Ask the operator of the server.",
                )
            content = await page.load(visit)
            # A page of hundreds of kilobytes takes a moment, which streams need not wait for.
            return await asyncio.to_thread(
                self._renderer.page, page.template, {**self._shell(visit, page), **content}
            )

        return handle

    def _shell(self, visit: Visit, page: Page) -> dict[str, Any]:
        """What the frame around every page shows."""
        seen = [one for one in self._pages if one.section is not None and visit.may(one.action)]
        return {
            "page": page,
            "csrf": visit.session.csrf,
            "confirmed": visit.session.confirmed,
            "navigation": [
                (section, [(PREFIX + one.path, one.title) for one in some])
                for section, some in groupby(seen, key=lambda one: one.section)
            ],
            "here": PREFIX + page.path,
            "may": visit.may,
            "is_operator": visit.session.management.is_operator,
            "account_id": visit.session.row.account_id,
            "sign_out": SIGN_OUT,
            "confirm": CONFIRM,
            "change_password": PASSWORD,
        }

    async def _nowhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise Problem("not_found", "there is no such page", hint="Start at the console's home.")

    def _problem_page(self, scope: Scope, error: Exception) -> Response:
        body = body_of(error, get_context(scope).request_id)
        if "text/html" not in Headers(scope=scope).get("accept", ""):
            return respond(body)  # to a module of a page
        response = self._renderer.page(
            "problem.html", {"error": body.error}, ERRORS[body.error.code].status
        )
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        return response
