"""One call as a generator of steps: build, send, read, retry or map the error. No IO.

The sync and the async client are two drivers of this one flow: they carry out each step and send
back what came of it. An `Emit` is not carried out but handed to the caller: it is an event of a
stream.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

from . import failures, refusals
from .clock import Clock, Deadline
from .config import Config
from .defaults import fill
from .errors import InvalidText, LLMaaSError, Phase, StreamInterrupted, UnexpectedResponse
from .retry import RetryPolicy
from .steps import Broken, Call, Drop, Emit, Event, Flow, Head, Read, Reply, Send, Sleep, T
from .wire import DEADLINE_HEADER, IDEMPOTENCY_HEADER, sse
from .wire.base import Request
from .wire.events import Delta, Progress, Start
from .wire.validation import explain

DRAIN_SECONDS = 1.0
"""How long a finished stream waits for the end of the body, which lets the connection live on."""


@dataclass(slots=True)
class Exchange:
    """One call on its way: what all its tries have in common."""

    config: Config
    policy: RetryPolicy
    clock: Clock
    deadline: Deadline
    idempotency_key: str
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Arguments that the client fills in."""
    trace: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers by which the caller's trace goes on in the server."""
    emitted: bool = field(default=False, init=False)
    """Whether the caller has seen anything of the answer: then there is no second try."""

    def run(self, call: Call[T], *, stream: bool = False) -> Flow[T]:
        """All tries of `call`. Raises LLMaaSError."""
        body = _body(call, stream, self.defaults)
        headers = self._headers(call, stream)
        attempts = 0
        while True:
            attempts += 1
            try:
                return (yield from self._try(call, body, headers, stream))
            except LLMaaSError as error:
                error.attempts = attempts
                wait = None
                if not self.emitted:
                    wait = self.policy.wait(error, attempts, self.deadline, self.clock)
                if wait is None:
                    raise
                yield Drop()
                yield Sleep(wait)

    def _headers(self, call: Call[Any], stream: bool) -> dict[str, str]:
        headers = {**self.trace, "accept": "text/event-stream" if stream else "application/json"}
        if stream:
            headers["accept-encoding"] = "identity"  # a compressor holds pieces back
        if call.request is not None:
            headers["content-type"] = "application/json"
            headers[IDEMPOTENCY_HEADER] = self.idempotency_key
        key = None if call.key is None else self.config.key(call.key)
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        elif call.key == "management":
            raise failures.no_management_key(self.config.address)
        return headers

    def _try(self, call: Call[T], body: bytes, headers: dict[str, str], stream: bool) -> Flow[T]:
        self._check_time("retry")
        left = self.deadline.left()
        if left is not None:
            headers = headers | {DEADLINE_HEADER: str(max(1, int(left * 1000)))}
        url = self.config.address.url + call.path
        reply = yield Send(call.verb, url, headers, body, self.deadline)
        if not isinstance(reply, Head):
            raise self._broken(reply)
        if stream and reply.ok:
            return (yield from self._read_stream(call, url, reply))
        return (yield from self._read_whole(call, url, reply))

    def _read_whole(self, call: Call[T], url: str, head: Head) -> Flow[T]:
        pieces: list[bytes] = []
        while piece := (yield from self._read()):
            pieces.append(piece)
        body = b"".join(pieces)
        if not (head.ok or call.any_status):
            raise self._refusal(url, head, body)
        try:
            return call.read(body)
        except ValidationError as error:
            if not head.ok:
                raise self._refusal(url, head, body) from None
            raise failures.unreadable(url, error) from None

    def _refusal(self, url: str, head: Head, body: bytes) -> LLMaaSError:
        if "location" in head.headers:
            return UnexpectedResponse(
                f"{url} answered {head.status}, and that the server is elsewhere",
                hint=f"Redirects are not followed; set base_url for {head.headers['location']}",
            )
        return refusals.from_response(url, head.status, head.headers, body, self.clock.wall())

    def _read_stream(self, call: Call[T], url: str, head: Head) -> Flow[T]:
        if not head.headers.get("content-type", "").startswith("text/event-stream"):
            raise UnexpectedResponse(
                f"{url} answered without a stream", hint="Is base_url the address of llmaas?"
            )
        decoder = sse.Decoder()
        text: list[str] = []
        while True:
            piece = yield from self._read(text)
            if not piece:
                raise StreamInterrupted(
                    f"{url} ended the stream before the answer was whole", partial="".join(text)
                )
            for name, data in _decode(decoder, piece, url):
                try:
                    if name == "done":
                        result = call.read(data.encode())
                        yield from self._drain()
                        return result
                    event = _EVENTS[name].model_validate_json(data) if name in _EVENTS else None
                except ValidationError as error:
                    raise failures.unreadable(url, error) from None
                if name == "error":
                    raise refusals.from_event(data)
                if event is None:
                    continue  # of a newer server
                if isinstance(event, Delta) and event.choice == 0:
                    text.append(event.text)
                self.emitted = True
                yield Emit(event)

    def _drain(self) -> Flow[None]:
        """Read to the end of the body, so that the connection can be used again.

        The result is here: whatever goes wrong now costs the connection and not the call.
        """
        left = self.deadline.left()
        limit = Deadline.after(
            DRAIN_SECONDS if left is None else min(left, DRAIN_SECONDS), self.clock
        )
        while True:
            reply = yield Read(limit)
            if not isinstance(reply, bytes):
                yield Drop()
                return
            if not reply:
                return

    def _read(self, text: list[str] | None = None) -> Flow[bytes]:
        """The next piece of the body; `text` is what a stream has said so far."""
        self._check_time("body")
        reply = yield Read(self.deadline)
        if isinstance(reply, bytes):
            return reply
        if text is not None and isinstance(reply, Broken) and reply.kind == "lost":
            raise StreamInterrupted(
                f"the connection broke in the middle of the stream: {reply.reason}",
                partial="".join(text),
            )
        raise self._broken(reply)

    def _broken(self, reply: Reply) -> LLMaaSError:
        if not isinstance(reply, Broken):
            raise TypeError(f"a driver answered a step with {reply!r}")
        return failures.broken(reply, self.config.address, self.deadline)

    def _check_time(self, phase: Phase) -> None:
        if self.deadline.over():
            raise failures.too_late(self.deadline, phase)


_EVENTS: dict[str, type[Event]] = {"start": Start, "delta": Delta, "progress": Progress}


def request_of(call: Call[Any], defaults: Mapping[str, Any]) -> Request | None:
    """What goes out, checked here as the server would check it. Raises LLMaaSError."""
    if call.request is None:
        return None
    try:
        return fill(call.request(), defaults)
    except ValidationError as error:
        raise refusals.from_detail(explain(error).error) from None


def _body(call: Call[Any], stream: bool, defaults: Mapping[str, Any]) -> bytes:
    request = request_of(call, defaults)
    if request is None:
        return b""
    fields = request.model_dump(mode="json", exclude_unset=True)
    try:
        return to_json(fields | {"stream": True} if stream else fields)
    except PydanticSerializationError:
        raise InvalidText("a field holds half of a surrogate pair, which is no character") from None


def _decode(decoder: sse.Decoder, piece: bytes, url: str) -> Generator[tuple[str, str], None, None]:
    try:
        for event in decoder.feed(piece):
            yield event.event, event.data
    except ValueError as error:
        raise UnexpectedResponse(f"the stream of {url} cannot be read: {error}") from None
