"""What is left of a caller's limits, in the headers of every response to an inference key.

The fields of draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy` has each rate with its
quota (`q`) and window (`w`, seconds), `RateLimit` what remains of it (`r`) and the seconds until
all of it is there again (`t`).
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmaas_server.gateway.clock import MINUTE, SECOND
from llmaas_server.gateway.limiter import Limiter

from .context import find_principal

POLICY_HEADER = "ratelimit-policy"
RATES_HEADER = "ratelimit"
WINDOW = MINUTE // SECOND


class RateLimits:
    """Middleware: adds the headers where the caller has a limit."""

    def __init__(self, app: ASGIApp, limiter: Limiter) -> None:
        self._app = app
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(scope, MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_with_limits)

    def _add(self, scope: Scope, headers: MutableHeaders) -> None:
        principal = find_principal(scope)
        if principal is None or not (rates := self._limiter.rates(principal.limited)):
            return
        headers[POLICY_HEADER] = ", ".join(
            f'"{rate.name}";q={rate.limit};w={WINDOW}' for rate in rates
        )
        headers[RATES_HEADER] = ", ".join(
            f'"{rate.name}";r={rate.remaining};t={rate.reset}' for rate in rates
        )
