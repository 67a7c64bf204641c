"""One request and its response: the body within bounds, and a caller who may go away."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Coroutine
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.types import Message, Receive, Scope, Send

from llmaas_client.wire import DEADLINE_HEADER, IDEMPOTENCY_HEADER
from llmaas_server.errors import Problem
from llmaas_server.gateway.principals import Principal
from llmaas_server.gateway.tracing import Trace

from .context import get_context, get_principal
from .endpoint import Parameter

DEADLINE = Parameter(
    DEADLINE_HEADER,
    "Milliseconds that the caller will still wait; the work is stopped when they are over.",
    {"type": "number", "exclusiveMinimum": 0},
)
IDEMPOTENCY = Parameter(
    IDEMPOTENCY_HEADER,
    "A new text for each call, such as a UUID. A call that is sent again with the same one is "
    "answered as it was, neither run nor charged twice.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
)
OF_CALLS = (IDEMPOTENCY, DEADLINE)
"""Headers that addresses take which run something."""


class Exchange:
    """What a handler sees of ASGI."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._headers = Headers(scope=scope)
        self._context = get_context(scope)
        self._scope = scope
        self._receive = receive
        self._send = send
        self._complete = False

    @property
    def request_id(self) -> str:
        return self._context.request_id

    @property
    def trace(self) -> Trace:
        return self._context.trace

    @property
    def principal(self) -> Principal:
        return get_principal(self._scope)

    @property
    def elapsed_ms(self) -> float:
        """Since the request came in."""
        return 1000 * (time.perf_counter() - self._context.started)

    @property
    def deadline_ms(self) -> float | None:
        """How long the caller will still wait. Raises Problem."""
        given = self._headers.get(DEADLINE_HEADER)
        if given is None:
            return None
        left = _milliseconds(given) - self.elapsed_ms
        if left <= 0:
            raise Problem("deadline_exceeded")
        return left

    @property
    def idempotency_key(self) -> str | None:
        return self._headers.get(IDEMPOTENCY_HEADER)

    @property
    def query(self) -> QueryParams:
        return QueryParams(self._scope["query_string"])

    def fingerprint(self, body: bytes) -> bytes:
        """All that says what is asked: the address and the body."""
        path: str = self._scope["path"]
        query: bytes = self._scope["query_string"]
        asked = path.encode() + (b"?" + query if query else b"")
        return asked + b"\n" + body

    async def body(self, limit: int) -> bytes:
        """The body, JSON by its header, of at most `limit` bytes.

        Raises Problem `unsupported_media_type`, `body_too_large`, `cancelled`.
        """
        self._check_media_type()
        declared = self._headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise _too_large(limit)
        body = bytearray()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Problem("cancelled")
            body += message.get("body", b"")
            if len(body) > limit:
                raise _too_large(limit)
            if not message.get("more_body", False):
                return bytes(body)

    async def while_connected(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work`, which sends the response; stop it at once when the caller goes away.

        Raises what `work` raises, or Problem `cancelled`. The body must have been read.
        """
        running = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._disconnect())
        try:
            await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done() and not self._complete:
                raise Problem("cancelled")
            await running
        finally:
            running.cancel()
            gone.cancel()
            await asyncio.gather(running, gone, return_exceptions=True)

    async def send(self, message: Message) -> None:
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        self._complete = self._complete or last
        await self._send(message)

    async def send_json(self, content: bytes) -> None:
        """A whole response that went well."""
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.send({"type": "http.response.body", "body": content})

    async def _disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _check_media_type(self) -> None:
        media_type = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Problem(
                "unsupported_media_type", f"Content-Type is {media_type or 'absent'}, not JSON"
            )
        coding = self._headers.get("content-encoding", "identity").lower()
        if coding != "identity":
            raise Problem(
                "unsupported_media_type",
                f"Content-Encoding {coding} is not supported",
                hint="Send the JSON as it is.",
            )


def _milliseconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (0 < value < math.inf):
        raise Problem(
            "invalid_request",
            f"{DEADLINE_HEADER} is {text!r}, not a positive number of milliseconds",
            hint="Leave the header away to wait without a deadline.",
            param=DEADLINE_HEADER,
        )
    return value


def _too_large(limit: int) -> Problem:
    return Problem("body_too_large", f"the body is larger than {limit} bytes")
