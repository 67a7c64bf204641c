"""Results that come in pieces: text and events while they are made, the whole result at the end."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from .drive import AsyncRun, Run
from .steps import Event
from .wire.base import Result
from .wire.events import Delta, Start

ResultT = TypeVar("ResultT", bound=Result)


def _text_of(event: Event) -> str:
    """The text of the answer in an event; of the first answer, where there are several."""
    return event.text if isinstance(event, Delta) and event.choice == 0 else ""


class _State(Generic[ResultT]):
    """What a stream has told so far."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._start: Start | None = None
        self._result: ResultT | None = None

    def _note(self, event: Event) -> Event:
        if isinstance(event, Delta):
            self._pieces.append(_text_of(event))
        elif isinstance(event, Start):
            self._start = event
        return event

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    @property
    def request_id(self) -> str | None:
        """The id to quote when you report a problem; None before the first event."""
        return None if self._start is None else self._start.id

    @property
    def result(self) -> ResultT:
        """The whole result, as the call without a stream would give it.

        Raises RuntimeError before the stream is at its end: iterate to the end, or `finish()`.
        """
        if self._result is None:
            raise RuntimeError("the stream is not at its end: iterate on, or call finish()")
        return self._result


class Stream(_State[ResultT]):
    """A result in the making. Iterate over it for pieces of text.

        with client.chat.stream("Tell me a story") as stream:
            for text in stream:
                print(text, end="", flush=True)
        print(stream.result.usage)

    Entering sends the request and waits for the first event, so that refusals are raised there.
    Leaving closes the connection, and with it the work on the server, wherever the stream is.
    A stream that was cut raises `StreamInterrupted` and never ends as if it were whole.
    """

    def __init__(self, start: Callable[[], Run[ResultT]]) -> None:
        super().__init__()
        self._open = start
        self._run: Run[ResultT] | None = None
        self._first: Event | None = None

    def __enter__(self) -> Self:
        if self._run is not None:
            raise RuntimeError("a stream is entered once; call stream() again for another")
        self._run = self._open()
        self._first = self._take()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[str]:
        for event in self.events():
            if text := _text_of(event):
                yield text

    def events(self) -> Iterator[Event]:
        """Every event: one `Start`, then `Delta` (text) and `Progress` (parts done)."""
        while (event := self._next()) is not None:
            yield event

    def finish(self) -> ResultT:
        """Read on to the end and return the whole result."""
        while self._next() is not None:
            pass
        return self.result

    def show(self) -> ResultT:
        """Show the text while it comes, in a notebook or a terminal, and return the result.

        Ctrl-C, or the notebook's stop button, ends the work on the server at once; what came by
        then stays there and in `text`.
        """
        from .live import Showing

        with Showing(time.monotonic) as showing:
            try:
                for event in self.events():
                    showing.see(event)
            except BaseException:
                self.close()
                raise
        return self.result

    def close(self) -> None:
        """Close the connection now. Closing twice is no mistake."""
        if self._run is not None:
            self._run.close()

    def _next(self) -> Event | None:
        first, self._first = self._first, None
        return first or self._take()

    def _take(self) -> Event | None:
        if self._run is None:
            raise RuntimeError("a stream is a context manager: with client.….stream(…) as stream")
        event = self._run.advance()
        if event is None:
            self._result = self._run.result
            return None
        return self._note(event)


@dataclass(slots=True)
class _Events(AsyncIterator[Event]):
    """An iterator rather than an async generator: leaving it early leaves nothing to clean up."""

    take: Callable[[], Awaitable[Event | None]]

    async def __anext__(self) -> Event:
        event = await self.take()
        if event is None:
            raise StopAsyncIteration
        return event


@dataclass(slots=True)
class _Texts(AsyncIterator[str]):
    """The texts of the same events."""

    take: Callable[[], Awaitable[Event | None]]

    async def __anext__(self) -> str:
        while (event := await self.take()) is not None:
            if text := _text_of(event):
                return text
        raise StopAsyncIteration


class AsyncStream(_State[ResultT]):
    """A result in the making. Iterate over it for pieces of text.

        async with client.chat.stream("Tell me a story") as stream:
            async for text in stream:
                print(text, end="", flush=True)
        print(stream.result.usage)

    Entering sends the request and waits for the first event, so that refusals are raised there.
    Leaving closes the connection, and with it the work on the server, wherever the stream is.
    A stream that was cut raises `StreamInterrupted` and never ends as if it were whole.
    """

    def __init__(self, start: Callable[[], AsyncRun[ResultT]]) -> None:
        super().__init__()
        self._open = start
        self._run: AsyncRun[ResultT] | None = None
        self._first: Event | None = None

    async def __aenter__(self) -> Self:
        if self._run is not None:
            raise RuntimeError("a stream is entered once; call stream() again for another")
        self._run = self._open()
        self._first = await self._take()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[str]:
        return _Texts(self._next)

    def events(self) -> AsyncIterator[Event]:
        """Every event: one `Start`, then `Delta` (text) and `Progress` (parts done)."""
        return _Events(self._next)

    async def finish(self) -> ResultT:
        """Read on to the end and return the whole result."""
        while await self._next() is not None:
            pass
        return self.result

    async def show(self) -> ResultT:
        """Show the text while it comes, in a notebook or a terminal, and return the result.

        Cancelling ends the work on the server at once; what came by then stays there and in
        `text`.
        """
        from .live import Showing

        with Showing(time.monotonic) as showing:
            try:
                async for event in self.events():
                    showing.see(event)
            except BaseException:
                await self.close()
                raise
        return self.result

    async def close(self) -> None:
        """Close the connection now. Closing twice is no mistake."""
        if self._run is not None:
            await self._run.close()

    async def _next(self) -> Event | None:
        first, self._first = self._first, None
        return first or await self._take()

    async def _take(self) -> Event | None:
        if self._run is None:
            raise RuntimeError(
                "a stream is a context manager: async with client.….stream(…) as stream"
            )
        event = await self._run.advance()
        if event is None:
            self._result = self._run.result
            return None
        return self._note(event)
