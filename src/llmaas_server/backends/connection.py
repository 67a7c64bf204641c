"""The front's end of one worker: requests out, and what is said to each back by its id."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count

from llmaas_server.errors import Problem
from llmaas_server.seam.attachments import Attachments
from llmaas_server.seam.channel import Channel
from llmaas_server.seam.failures import problem_of
from llmaas_server.seam.frames import (
    Answers,
    Cancel,
    Done,
    FrameError,
    FrontFrame,
    Measure,
    Reply,
    Saying,
    WorkerFrame,
)
from llmaas_server.seam.values import Call, Failure, Result

_LAST_WORD_SECONDS = 2.0
"""How long a call that was stopped waits to hear what it has used: for longer than a step."""

_SLACK_SECONDS = 1.0
"""The worker keeps deadlines; the front steps in when it has not answered by then."""


class Connection:
    """Open exchanges with one worker. Ends all of them when the worker is lost."""

    def __init__(self, channel: Channel[WorkerFrame]) -> None:
        self._channel = channel
        self._exchanges: dict[int, Exchange] = {}
        self._numbers = count(1)
        self._lost: Failure | None = None
        self._attachments = Attachments()

    def begin(self) -> Exchange:
        """A new exchange, which the caller closes. Raises Problem where the worker is lost."""
        if self._lost:
            raise problem_of(self._lost)
        exchange = Exchange(self, next(self._numbers))
        self._exchanges[exchange.id] = exchange
        return exchange

    def send(self, frame: FrontFrame) -> None:
        """Raises Problem where the frame is too large."""
        try:
            self._channel.send(frame)
        except FrameError as error:
            raise Problem("body_too_large", f"the request cannot be sent: {error}") from error

    def measure(self, request_id: int, call: Call) -> None:
        """Send the call, without what the worker has already. Raises Problem as `send`."""
        self.send(Measure(request_id, self._attachments.lighten(call)))
        self._attachments.note(call)

    def hear(self, answers: Answers) -> None:
        """Hand out what the worker said; what nobody waits for any more is dropped."""
        for answer in answers.answers:
            if exchange := self._exchanges.get(answer.id):
                exchange.put(answer.saying)

    def lose(self, failure: Failure) -> None:
        """The worker is gone: end every exchange, now and later, with `failure`."""
        self._lost = failure
        for exchange in self._exchanges.values():
            exchange.put(failure)

    def forget(self, request_id: int) -> None:
        del self._exchanges[request_id]


class Exchange:
    """One request and what is said to it.

    A reader that lags holds up nobody: what it has not read waits here, and it is text.
    """

    def __init__(self, connection: Connection, request_id: int) -> None:
        self._connection = connection
        self.id = request_id
        self._said: asyncio.Queue[Saying] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._cancelled = False
        self._closed = False
        self.last: Result | Done | Failure | None = None
        """The last word, once it is said."""

    def put(self, saying: Saying) -> None:
        if self.last is None and isinstance(saying, Result | Done | Failure):
            self.last = saying
            self._ended.set()
        self._said.put_nowait(saying)

    def send(self, frame: FrontFrame) -> None:
        self._connection.send(frame)

    def measure(self, call: Call) -> None:
        self._connection.measure(self.id, call)

    async def receive(self, deadline: float | None = None) -> Reply:
        """What is said next; `deadline` is on the loop's clock. Raises Problem."""
        latest = None if deadline is None else deadline + _SLACK_SECONDS
        try:
            async with asyncio.timeout_at(latest):
                saying = await self._said.get()
        except TimeoutError:
            raise Problem("deadline_exceeded") from None
        if isinstance(saying, Failure):
            raise problem_of(saying)
        return saying

    async def stop(self) -> Result | Done | Failure | None:
        """Cancel the request where it is not done, and wait a moment for the last word; None
        where there is none."""
        if self.last is None:
            self._cancel()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _LAST_WORD_SECONDS)
        return self.last

    def close(self) -> None:
        """Forget the request; the worker is told at once where it is not done with it."""
        if self._closed:
            return
        self._closed = True
        self._connection.forget(self.id)
        self._cancel()

    def _cancel(self) -> None:
        if self.last is None and not self._cancelled:
            self._cancelled = True
            self._connection.send(Cancel(self.id))
