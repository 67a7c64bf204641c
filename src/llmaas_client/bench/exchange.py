"""One request, from when it was due to the end of its answer, and what was seen of it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from llmaas_client.clock import Clock, Deadline
from llmaas_client.config import Config
from llmaas_client.http.aio import AsyncWire
from llmaas_client.http.transport import MAX_CONNECTIONS
from llmaas_client.pools import AsyncPool
from llmaas_client.steps import Broken, Head, Read, Send
from llmaas_client.wire import sse
from llmaas_client.wire.base import Usage

from .dialects import Dialect, read_refusal

DRAIN_SECONDS = 1.0
"""How long the end of a body is waited for once the answer is whole; the connection lives on."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request brought no whole answer: a code to count, and words for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen of one request. Seconds, on the generator's clock."""

    due: float
    """When it was to be sent. Where it had to wait for that, the wait is part of its latency."""
    ended: float
    pieces: tuple[float, ...] = ()
    """When each piece of the answer's text came."""
    usage: Usage | None = None
    """What the server counted; None where it does not say."""
    failure: Failure | None = None

    @property
    def latency(self) -> float:
        return self.ended - self.due

    @property
    def first(self) -> float | None:
        """Seconds to the first piece; None where nothing was streamed."""
        return self.pieces[0] - self.due if self.pieces else None

    @property
    def gaps(self) -> list[float]:
        """Seconds between one piece and the next."""
        return [after - before for before, after in pairwise(self.pieces)]

    @property
    def output_tokens(self) -> int:
        """As the server counted them; without that, a token for each piece."""
        return len(self.pieces) if self.usage is None else self.usage.completion_tokens


@dataclass(slots=True)
class _Seen:
    """What has come of an answer so far."""

    pieces: list[float] = field(default_factory=list[float])
    usage: Usage | None = None
    failure: Failure | None = None
    finished: float | None = None
    """When the text was whole; usage and the mark of the end may follow."""
    ended: float | None = None

    def sample(self, due: float, now: float) -> Sample:
        ended = now if self.ended is None else self.ended
        return Sample(due, ended, tuple(self.pieces), self.usage, self.failure)


class Connections:
    """Connections to one server, enough for so many requests at once."""

    def __init__(self, config: Config, concurrency: int) -> None:
        count = -(-concurrency // MAX_CONNECTIONS)
        self._pools = [AsyncPool(config, None) for _ in range(count)]
        self._under_way = [0] * count

    @asynccontextmanager
    async def wire(self, clock: Clock) -> AsyncGenerator[AsyncWire]:
        """A way for one request: over the first connections that have room, else the last."""
        room = (at for at, count in enumerate(self._under_way) if count < MAX_CONNECTIONS)
        at = next(room, len(self._pools) - 1)
        self._under_way[at] += 1
        wire = AsyncWire(self._pools[at].get, clock)
        try:
            yield wire
        finally:
            self._under_way[at] -= 1
            await wire.close()

    async def close(self) -> None:
        for pool in self._pools:
            await pool.close()


@dataclass(frozen=True, slots=True)
class Caller:
    """Sends requests to one server and times their answers."""

    config: Config
    connections: Connections
    clock: Clock
    timeout: float
    """Seconds for a whole request."""

    async def get(self, path: str) -> tuple[Head, bytes] | Failure:
        """The answer to a GET, whatever its status."""
        send = self._send("GET", path, b"", streams=False)
        async with self.connections.wire(self.clock) as wire:
            head = await wire.perform(send)
            if not isinstance(head, Head):
                return _failure_of(head)
            body = await _rest(wire, send.deadline)
            return body if isinstance(body, Failure) else (head, body)

    async def ask(self, dialect: Dialect, body: dict[str, Any], due: float) -> Sample:
        """Send a request and see its answer through."""
        data = json.dumps(body).encode()
        send = self._send("POST", dialect.path, data, streams=dialect.streams)
        seen = _Seen()
        async with self.connections.wire(self.clock) as wire:
            try:
                await self._see(wire, send, dialect, seen)
            except ValueError as error:
                seen.failure = Failure("unexpected_response", str(error))
            return seen.sample(due, self.clock.now())

    async def _see(self, wire: AsyncWire, send: Send, dialect: Dialect, seen: _Seen) -> None:
        """Raises ValueError for an answer that is not of the dialect."""
        head = await wire.perform(send)
        if isinstance(head, Broken) and head.kind == "lost":
            head = await wire.perform(send)  # a connection that had idled was closed meanwhile
        if not isinstance(head, Head):
            seen.failure = _failure_of(head)
        elif not head.ok:
            body = await _rest(wire, send.deadline)
            seen.failure = (
                body if isinstance(body, Failure) else Failure(*read_refusal(head.status, body))
            )
        elif dialect.streams:
            await self._follow(wire, send.deadline, dialect, seen)
        else:
            body = await _rest(wire, send.deadline)
            if isinstance(body, Failure):
                seen.failure = body
            else:
                seen.usage = dialect.read("", body.decode()).usage

    async def _follow(
        self, wire: AsyncWire, deadline: Deadline, dialect: Dialect, seen: _Seen
    ) -> None:
        decoder = sse.Decoder()
        while seen.ended is None:
            data = await wire.perform(Read(deadline))
            if not isinstance(data, bytes):
                seen.failure = _failure_of(data)
                return
            if not data:
                seen.ended = seen.finished
                if seen.finished is None:
                    seen.failure = Failure("stream_interrupted", "the stream ended before its end")
                return
            self._note(decoder.feed(data), dialect, seen)
        await _drain(wire, self.clock)

    def _note(self, events: Iterator[sse.ServerSentEvent], dialect: Dialect, seen: _Seen) -> None:
        now = self.clock.now()
        for event in events:
            news = dialect.read(event.event, event.data)
            if news.has_text:
                seen.pieces.append(now)
            if news.usage is not None:
                seen.usage = news.usage
            if news.error is not None:
                seen.failure = Failure(news.error, event.data[:200])
            if news.finished:
                seen.finished = now
            if news.done:
                seen.ended = now

    def _send(self, method: str, path: str, body: bytes, *, streams: bool) -> Send:
        headers = {"accept": "text/event-stream" if streams else "application/json"}
        if streams:
            headers["accept-encoding"] = "identity"  # a compressor holds pieces back
        if body:
            headers["content-type"] = "application/json"
        key = self.config.key()
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        deadline = Deadline.after(self.timeout, self.clock)
        return Send(method, self.config.address.url + path, headers, body, deadline)


async def _rest(wire: AsyncWire, deadline: Deadline) -> bytes | Failure:
    pieces: list[bytes] = []
    while True:
        data = await wire.perform(Read(deadline))
        if not isinstance(data, bytes):
            return _failure_of(data)
        if not data:
            return b"".join(pieces)
        pieces.append(data)


async def _drain(wire: AsyncWire, clock: Clock) -> None:
    """Read to the end of the body; what goes wrong there costs the connection and no more."""
    deadline = Deadline.after(DRAIN_SECONDS, clock)
    while isinstance(data := await wire.perform(Read(deadline)), bytes) and data:
        pass


def _failure_of(reply: object) -> Failure:
    if not isinstance(reply, Broken):
        raise TypeError(f"a step was answered with {reply!r}")
    code = {"connect": "connection_failed", "lost": "connection_failed", "timeout": "timeout"}
    return Failure(code.get(reply.kind, "unexpected_response"), reply.reason or reply.kind)
