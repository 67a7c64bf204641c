"""A connection that cannot be held by sending or reading slowly.

uvicorn bounds the pause between two requests alone. Here the head of a request has a deadline,
its body a least rate, and the reader of an answer a longest pause; what is refused below ASGI is
told as everywhere, as an error body with a request id.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import sys
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from llmaas_client.wire import REQUEST_ID_HEADER
from llmaas_client.wire.errors import ERRORS
from llmaas_server.errors import Problem

from .bounds import LEAST_BYTES_PER_SECOND, Bounds
from .peers import Peers

DISCARDED_BYTES = 16 << 20
"""Of a body whose request was answered already: so much is read, for the answer to arrive."""

logger = logging.getLogger("llmaas.edge")


class Timer:
    """Calls once, unless it is stopped."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        return self._handle is not None

    def start(self, seconds: float, call: Callable[[], None]) -> None:
        """Anew, where it runs."""
        self.stop()
        self._handle = self._loop.call_later(seconds, self._over, call)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _over(self, call: Callable[[], None]) -> None:
        self._handle = None
        call()


class Connection(H11Protocol):
    """One connection, from its first byte to its last."""

    def __init__(self, bounds: Bounds, peers: Peers, *args: Any, **options: Any) -> None:
        """Beside `bounds` and `peers` with what uvicorn gives to each."""
        super().__init__(*args, **options)
        self._bounds = bounds
        self._peers = peers
        self._address: str | None = None
        """What `peers` counts this connection under, once it does."""
        self._is_first = True
        self._head_timer = Timer(self.loop)
        self._body_timer = Timer(self.loop)
        self._send_timer = Timer(self.loop)
        self._body_began = 0.0
        self._body_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        address = self.client[0] if self.client else "127.0.0.1"
        refusal = self._peers.enter(address)
        if refusal is not None:
            self._refuse(refusal)
            return
        self._address = address
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._address is not None:
            self._peers.leave(self._address)
            self._address = None
        self._head_timer.stop()
        self._body_timer.stop()
        self._send_timer.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._body_bytes += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def shutdown(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._send_timer.start(self._bounds.send_seconds, self._unread)

    def resume_writing(self) -> None:
        self._send_timer.stop()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        # Called by uvicorn where h11 has raised, and it does not pass on what.
        error = sys.exception()
        too_large = ERRORS["headers_too_large"].status
        if isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == too_large:
            self._refuse(Problem("headers_too_large"))
        else:
            self._refuse(Problem("malformed_request"))

    def _watch(self) -> None:
        """Set the timers that the state of the request asks for."""
        if self.transport.is_closing():
            return
        theirs = self.conn.their_state
        if theirs is h11.IDLE and (self._is_first or self.conn.trailing_data[0]):
            if not self._head_timer.runs:
                self._head_timer.start(self._bounds.receive_seconds, self._late_head)
        else:
            self._head_timer.stop()
        if theirs is not h11.IDLE:
            self._is_first = False
        if theirs is not h11.SEND_BODY:
            self._body_timer.stop()
        elif not self._body_timer.runs:
            self._body_began, self._body_bytes = self.loop.time(), 0
            self._expect_body()
        elif self.cycle.response_complete and self._body_bytes > DISCARDED_BYTES:
            self.transport.abort()

    @property
    def _body_due(self) -> float:
        """When more of the body must be there, on the loop's clock."""
        earned = self._body_bytes / LEAST_BYTES_PER_SECOND
        return self._body_began + self._bounds.receive_seconds + earned

    def _expect_body(self) -> None:
        self._body_timer.start(self._body_due - self.loop.time(), self._check_body)

    def _check_body(self) -> None:
        if self.flow.read_paused:  # the application reads slowly, not the caller who sends
            self._body_began, self._body_bytes = self.loop.time(), 0
        elif self._body_due <= self.loop.time():
            self._refuse(Problem("request_timeout", "the body did not arrive in time"))
            return
        self._expect_body()

    def _late_head(self) -> None:
        self._refuse(Problem("request_timeout", "the headers did not arrive in time"))

    def _unread(self) -> None:
        logger.info("%s: cut off, since nobody read the answer", self._address)
        self.transport.abort()

    def _refuse(self, problem: Problem) -> None:
        """Answer, close, and let the application know that the caller is gone."""
        request_id = f"req_{secrets.token_hex(12)}"
        logger.info("%s %s %s", request_id, problem.code, self._address or "-")
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in _answer(problem, request_id):
                self.transport.write(self.conn.send(event) or b"")
            self.transport.close()
        else:
            self.transport.abort()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()


def _answer(problem: Problem, request_id: str) -> list[h11.Event]:
    body = problem.body(request_id).model_dump_json().encode()
    status = ERRORS[problem.code].status
    headers = [
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
        ("connection", "close"),
        (REQUEST_ID_HEADER, request_id),
    ]
    if problem.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(problem.retry_after))))
    return [
        h11.Response(status_code=status, headers=headers, reason=STATUS_PHRASES[status]),
        h11.Data(data=body),
        h11.EndOfMessage(),
    ]
