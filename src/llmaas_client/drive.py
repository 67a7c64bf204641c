"""The two drivers of a flow: each carries out its steps and hands out its events."""

from __future__ import annotations

import inspect
from typing import Any, Generic, Literal, Protocol

from .steps import Action, Apply, Emit, Event, Flow, Reply, Returned, Step, T


class Performer(Protocol):
    """What carries out the steps of one call: the network, as a rule (`http.Wire`)."""

    def perform(self, step: Action) -> Reply: ...

    def close(self) -> None:
        """Let go of what is left of the answer."""

    def abandon(self) -> None:
        """End the call from another thread."""


class AsyncPerformer(Protocol):
    """The same for async code."""

    async def perform(self, step: Action) -> Reply: ...

    async def close(self) -> None:
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
        try:
            step = next(self._flow)
            while not isinstance(step, Emit):
                step = self._take(step)
            return step.event
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

    def abandon(self) -> None:
        """End it from another thread than the one that is in it: that one's call fails."""
        self._wire.abandon()

    def _take(self, step: Action | Apply) -> Step:
        """Carry out a step; the one that follows."""
        if not isinstance(step, Apply):
            return self._flow.send(self._wire.perform(step))
        try:
            reply = Returned(_applied(step))
        except Exception as error:  # of the caller's function: the flow decides
            return self._flow.throw(error)
        return self._flow.send(reply)


class AsyncRun(Generic[T]):
    """One call under way."""

    result: T
    """Set when `advance` has returned None."""

    def __init__(self, flow: Flow[T], wire: AsyncPerformer) -> None:
        self._flow = flow
        self._wire = wire
        self._ended: Literal["finished", "closed"] | None = None

    async def advance(self) -> Event | None:
        """The next event, or None at the end. Raises LLMaaSError."""
        if self._ended is not None:
            _check_whole(self._ended)
            return None
        try:
            step = next(self._flow)
            while not isinstance(step, Emit):
                reply = await self._take(step)
                if isinstance(reply, Exception):
                    step = self._flow.throw(reply)
                else:
                    step = self._flow.send(reply)
            return step.event
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

    async def _take(self, step: Action | Apply) -> Reply | Exception:
        """What came of a step. It is not sent on here: a coroutine cannot end as a flow does."""
        if not isinstance(step, Apply):
            return await self._wire.perform(step)
        try:
            return Returned(await _applied_async(step))
        except Exception as error:  # of the caller's function: the flow decides
            return error


def _applied(step: Apply) -> Any:
    value = step.function(*step.positional, **step.arguments)
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise TypeError(f"{step.function!r} has to be awaited: AsyncClient does that")
    return value


async def _applied_async(step: Apply) -> Any:
    if is_async(step.function):
        return await step.function(*step.positional, **step.arguments)
    from asyncio import to_thread

    value = await to_thread(step.function, *step.positional, **step.arguments)
    return await value if inspect.isawaitable(value) else value


def is_async(function: Any) -> bool:
    """Whether calling it gives a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004
    )


def _check_whole(ended: Literal["finished", "closed"]) -> None:
    """What comes after the end: nothing more; but what was closed early never ends well."""
    if ended == "closed":
        raise RuntimeError("the stream was closed before its end")
