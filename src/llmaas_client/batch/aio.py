"""A map carried out by tasks of an event loop: one for each request under way."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from typing import Any, Generic, Protocol

from llmaas_client.clock import Clock
from llmaas_client.drive import AsyncRun
from llmaas_client.steps import Call

from .items import MapItem, MapResult
from .opening import keeping, opened, result_of
from .progress import Display
from .scheduler import Batch, Scheduler
from .work import In, Job, Val


class Start(Protocol):
    """Begins a call, in the context of the caller."""

    def __call__(self, call: Call[Any]) -> AsyncRun[Any]: ...


class MapCancelled(asyncio.CancelledError):
    """A map was cancelled. `results` is what was done by then."""

    def __init__(self, results: MapResult[Any]) -> None:
        super().__init__(f"cancelled: {results!r}; the error's .results has them")
        self.results = results


class Caller:
    """Makes requests in tasks, and gives back what comes of them."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._running: dict[asyncio.Future[Any], Batch[Any]] = {}

    def send(self, batch: Batch[Any]) -> None:
        run = self._start(batch.call)
        self._running[asyncio.create_task(run.finish())] = batch

    @property
    def running(self) -> Collection[asyncio.Future[Any]]:
        return self._running.keys()

    def settle(self, scheduler: Scheduler[Any, Any], done: Iterable[asyncio.Future[Any]]) -> bool:
        """Tell what has come of requests; False where none of `done` is one."""
        mine = [task for task in done if task in self._running]
        for task in mine:
            batch = self._running.pop(task)
            failure = asyncio.CancelledError() if task.cancelled() else task.exception()
            if failure is None:
                scheduler.answered(batch, task.result())
            else:
                scheduler.failed(batch, failure)
        return bool(mine)

    async def stop(self, scheduler: Scheduler[Any, Any]) -> None:
        """End what is under way, on the server too."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        # in time after all: it is paid for
        self.settle(scheduler, [task for task in self._running if not task.cancelled()])


async def imap(
    job: Job[In, Val], start: Start, clock: Clock, defaults: Mapping[str, Any]
) -> AsyncGenerator[MapItem[Val]]:
    """Items as they come. Leaving the iterator ends what is under way."""
    with (
        opened(job, clock, defaults) as (scheduler, display),
        keeping(job, scheduler, asyncio.CancelledError, MapCancelled),
    ):
        async with aclosing(_items(job, scheduler, display, start, clock)) as found:
            async for item in found:
                yield item


async def map_all(
    job: Job[In, Val], start: Start, clock: Clock, defaults: Mapping[str, Any]
) -> MapResult[Val]:
    """All values. What was done before an error or a cancellation is in the exception."""
    items: list[MapItem[Val]] = []
    with opened(job, clock, defaults) as (scheduler, display):
        with keeping(job, scheduler, asyncio.CancelledError, MapCancelled, items):
            async with aclosing(_items(job, scheduler, display, start, clock)) as found:
                async for item in found:
                    items.append(item)
        return result_of(job, scheduler, items, is_whole=True)


async def _items(
    job: Job[In, Val],
    scheduler: Scheduler[In, Val],
    display: Display,
    start: Start,
    clock: Clock,
) -> AsyncGenerator[MapItem[Val]]:
    source = Source(job.inputs)
    caller = Caller(start)
    try:
        while not scheduler.over:
            if scheduler.hungry() and source.feed(scheduler):
                pass
            elif (batch := scheduler.next()) is not None:
                caller.send(batch)
            elif scheduler.failure is None:
                await _wait(scheduler, display, caller, source, clock)
            for item in scheduler.ready():
                yield item
            if scheduler.failure is not None:
                raise scheduler.failure
    finally:
        await source.close()
        await caller.stop(scheduler)


async def _wait(
    scheduler: Scheduler[Any, Any],
    display: Display,
    caller: Caller,
    source: Source[Any],
    clock: Clock,
) -> None:
    pause = scheduler.pause()
    waiting = {*caller.running, *source.waiting}
    if not waiting:
        await clock.sleep_async(pause or 0.0)
        return
    done, _ = await asyncio.wait(waiting, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
    if caller.settle(scheduler, done):
        display.show(scheduler.progress(), is_last=False)


class Source(Generic[In]):
    """Inputs, one after the other; those of an async iterable are waited for beside the answers."""

    def __init__(self, inputs: Iterable[In] | AsyncIterable[In]) -> None:
        self._now: Iterator[In] | None = None
        self._later: AsyncIterator[In] | None = None
        self._next: asyncio.Future[In] | None = None
        if isinstance(inputs, AsyncIterable):
            self._later = aiter(inputs)
        else:
            self._now = iter(inputs)

    def feed(self, scheduler: Scheduler[In, Any]) -> bool:
        """Give the next input, where it is here; False where it has to be waited for."""
        try:
            if self._now is not None:
                scheduler.feed(next(self._now))
                return True
            if self._next is None and self._later is not None:
                self._next = asyncio.ensure_future(anext(self._later))
            if self._next is None or not self._next.done():
                return False
            come, self._next = self._next, None
            scheduler.feed(come.result())
        except (StopIteration, StopAsyncIteration):
            scheduler.end_of_inputs()
        return True

    @property
    def waiting(self) -> Sequence[asyncio.Future[In]]:
        return () if self._next is None else (self._next,)

    async def close(self) -> None:
        """Stop waiting for an input."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.wait([self._next])
