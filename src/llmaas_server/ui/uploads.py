"""`POST /console/read?name=report.pdf`: a file's bytes in, its text out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from llmaas_server.api.cookies import CSRF_HEADER, check_csrf, check_same_origin
from llmaas_server.errors import Problem
from llmaas_server.gateway.sessions import Session

from .apart import text_apart
from .forms import read_bytes
from .reading import MOST_BYTES, text_of

AT_ONCE = 2
"""Files that are read at the same time: a large PDF takes seconds of a processor."""


class Uploads:
    """Reads files for those who are signed in."""

    def __init__(self, session: Callable[[Request], Awaitable[Session | None]]) -> None:
        self._session = session
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def read(self, request: Request) -> Response:
        """Raises Problem `missing_key`, `not_allowed`, `body_too_large`, and as `text_of`."""
        session = await self._session(request)
        if session is None:
            raise Problem("missing_key", "the session is over", hint="Sign in again.")
        check_same_origin(request.scope)
        check_csrf(request.headers.get(CSRF_HEADER), session.csrf)
        name = request.query_params.get("name", "")
        too_large = Problem(
            "body_too_large",
            f"the file is larger than {MOST_BYTES >> 20} MiB",
            hint="Split it, or paste a part of it.",
        )
        content = await read_bytes(request, MOST_BYTES, too_large)
        async with self._turns:
            text = await _text_of(name, content)
        return JSONResponse({"text": text}, headers={"cache-control": "no-store"})


async def _text_of(name: str, content: bytes) -> str:
    """Raises Problem, as `text_of`."""
    if name.lower().endswith(".pdf"):
        return await text_apart("file.pdf", content)
    return await asyncio.to_thread(text_of, name, content)
