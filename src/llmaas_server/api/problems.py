"""The one place where exceptions become responses."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorCode
from llmaas_client.wire.validation import explain
from llmaas_server.errors import Problem

from .access_log import Accident
from .context import Statuses, get_context, get_statuses

logger = logging.getLogger("llmaas.problems")

NATIVE: Statuses = {}

RETRY_HEADER = "x-should-retry"
"""By which the clients of OpenAI and others know whether to send a request again."""

MESSAGE_HEADER = "x-error-message"
"""By which the clients of Hugging Face know what is wrong."""

CHALLENGE_HEADER = "www-authenticate"
CHALLENGE = 'Bearer realm="llmaas"'

_LONGEST_HEADER = 512
"""Characters."""


class Problems:
    """Middleware: whatever is raised below becomes an error body with its status."""

    def __init__(self, app: ASGIApp, count: Callable[[ErrorCode], None]) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            body = body_of(error, get_context(scope).request_id)
            self._count(body.error.code)
            if not started:
                await respond(body, get_statuses(scope))(scope, receive, send)
            elif body.error.code != "cancelled":
                # Too late for another status: the response is cut, and clients notice.
                raise RuntimeError("a response failed after it had begun") from None


def body_of(error: Exception, request_id: str) -> ErrorBody:
    """The error body for an exception. One that nobody expected is logged, without its text:
    that may hold what a user wrote."""
    if isinstance(error, Problem):
        return error.body(request_id)
    if isinstance(error, ValidationError):
        return explain(error, request_id)
    if isinstance(error, HTTPException):
        return _problem_of(error).body(request_id)
    logger.error(Accident.of(error, request_id))
    return Problem("internal_error").body(request_id)


def respond(body: ErrorBody, statuses: Statuses = NATIVE) -> Response:
    """The response with an error body."""
    error = body.error
    status = ERRORS[error.code].status
    headers = {
        "cache-control": "no-store",
        RETRY_HEADER: str(error.retryable).lower(),
        MESSAGE_HEADER: _in_a_header(error.message),
    }
    if error.retry_after is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after))
    if error.type == "authentication":
        headers[CHALLENGE_HEADER] = CHALLENGE
    return Response(
        body.model_dump_json(),
        statuses.get(status, status),
        headers,
        media_type="application/json",
    )


def _in_a_header(text: str) -> str:
    """One line of ASCII, and not a long one: the body has the text as it is."""
    line = re.sub(r"[^\x21-\x7e]+", " ", text.encode("ascii", "replace").decode())
    return line.strip()[:_LONGEST_HEADER]


class RouterProblems:
    """Handler of what the router raises: no such address, or another method."""

    def __init__(self, count: Callable[[ErrorCode], None]) -> None:
        self._count = count

    async def __call__(self, request: Request, error: Exception) -> Response:
        body = body_of(error, get_context(request.scope).request_id)
        self._count(body.error.code)
        response = respond(body)
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        return response


def _problem_of(error: HTTPException) -> Problem:
    if error.status_code == ERRORS["not_found"].status:
        return Problem("not_found")
    if error.status_code == ERRORS["method_not_allowed"].status:
        allowed = (error.headers or {}).get("Allow", "")
        return Problem("method_not_allowed", f"this address takes {allowed} only")
    return Problem("invalid_request", error.detail)
