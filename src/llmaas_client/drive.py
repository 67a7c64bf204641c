"""The two drivers of a flow: each carries out its steps and hands out its events."""

from __future__ import annotations

from typing import Generic, Literal, Protocol

from .http import AsyncWire
from .steps import Action, Emit, Event, Flow, Reply, T


class Performer(Protocol):
    """What carries out the steps of one call: the network, as a rule (`http.Wire`)."""

    def perform(self, step: Action) -> Reply: ...

    def close(self) -> None:
        """Let go of what is left of the answer."""


class Run(Generic[T]):
    """One call under way."""

    result: T
    """Set when `advance` has returned None."""

    def __init__(self, flow: Flow[T], wire: Performer) -> None:
        self._flow = flow
        self._wire = wire
        self._ended: Literal["finished", "closed"] | None = None

    def advance(self) -> Event | None:
        """The next event, or None at the end. Raises LLMaaSError."""
        if self._ended is not None:
            _check_whole(self._ended)
            return None
        reply: Reply = None
        try:
            while True:
                step = self._flow.send(reply)
                if isinstance(step, Emit):
                    return step.event
                reply = self._wire.perform(step)
        except StopIteration as end:
            self.result = end.value
            self._ended = "finished"
            self.close()
            return None
        except BaseException:
            self.close()
            raise

    def finish(self) -> T:
        """The result, whatever events come before it."""
        while self.advance() is not None:
            pass
        return self.result

    def close(self) -> None:
        self._ended = self._ended or "closed"
        self._flow.close()
        self._wire.close()


class AsyncRun(Generic[T]):
    """One call under way."""

    result: T
    """Set when `advance` has returned None."""

    def __init__(self, flow: Flow[T], wire: AsyncWire) -> None:
        self._flow = flow
        self._wire = wire
        self._ended: Literal["finished", "closed"] | None = None

    async def advance(self) -> Event | None:
        """The next event, or None at the end. Raises LLMaaSError."""
        if self._ended is not None:
            _check_whole(self._ended)
            return None
        reply: Reply = None
        try:
            while True:
                step = self._flow.send(reply)
                if isinstance(step, Emit):
                    return step.event
                reply = await self._wire.perform(step)
        except StopIteration as end:
            self.result = end.value
            self._ended = "finished"
            await self.close()
            return None
        except BaseException:
            await self.close()
            raise

    async def finish(self) -> T:
        """The result, whatever events come before it."""
        while await self.advance() is not None:
            pass
        return self.result

    async def close(self) -> None:
        self._ended = self._ended or "closed"
        self._flow.close()
        await self._wire.close()


def _check_whole(ended: Literal["finished", "closed"]) -> None:
    """What comes after the end: nothing more; but what was closed early never ends well."""
    if ended == "closed":
        raise RuntimeError("the stream was closed before its end")
