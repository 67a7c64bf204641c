"""A map carried out by threads: one for each request under way."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeAlias, cast

from llmaas_client.clock import Clock
from llmaas_client.drive import Run
from llmaas_client.steps import Call

from .items import MapInterrupted, MapItem, MapResult
from .opening import keeping, opened, result_of
from .progress import Display
from .scheduler import Batch, Scheduler
from .work import In, Job, Val

END_SECONDS = 2.0
"""How long the threads of a map that was stopped are waited for."""

Answer: TypeAlias = tuple[Batch[Any], Any, BaseException | None]


class Start(Protocol):
    """Begins a call, in the thread and the context of the caller."""

    def __call__(self, call: Call[Any]) -> Run[Any]: ...


class Caller:
    """Makes requests in threads, and gives back what comes of them."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._running: dict[threading.Thread, Run[Any]] = {}

    def send(self, batch: Batch[Any]) -> None:
        run = self._start(batch.call)
        # A daemon: a program that ends does not wait for answers that nobody wants any more.
        thread = threading.Thread(target=self._work, args=(batch, run), daemon=True)
        self._running[thread] = run
        thread.start()

    def _work(self, batch: Batch[Any], run: Run[Any]) -> None:
        result, failure = None, None
        try:
            result = run.finish()
        except BaseException as error:
            failure = error
        self._running.pop(threading.current_thread(), None)
        self._answers.put((batch, result, failure))

    def receive(self, seconds: float | None) -> Answer | None:
        """The next answer; None where none comes in time."""
        try:
            return self._answers.get(timeout=seconds)
        except Empty:
            return None

    def received(self) -> Iterator[Answer]:
        """What has come already."""
        while not self._answers.empty():
            yield self._answers.get()

    def stop(self) -> None:
        """End what is under way, on the server too, and wait for the threads."""
        running = list(self._running.items())
        for _, run in running:
            run.abandon()
        for thread, _ in running:
            with suppress(RuntimeError):  # an interrupt came while it was being started
                thread.join(END_SECONDS)


def imap(
    job: Job[In, Val], start: Start, clock: Clock, defaults: Mapping[str, Any]
) -> Generator[MapItem[Val]]:
    """Items as they come. Leaving the iterator ends what is under way."""
    with (
        opened(job, clock, defaults) as (scheduler, display),
        keeping(job, scheduler, KeyboardInterrupt, MapInterrupted),
    ):
        yield from _items(job, scheduler, display, start, clock)


def map_all(
    job: Job[In, Val], start: Start, clock: Clock, defaults: Mapping[str, Any]
) -> MapResult[Val]:
    """All values. What was done before an error or an interrupt is in the exception."""
    items: list[MapItem[Val]] = []
    with opened(job, clock, defaults) as (scheduler, display):
        with keeping(job, scheduler, KeyboardInterrupt, MapInterrupted, items):
            items.extend(_items(job, scheduler, display, start, clock))
        return result_of(job, scheduler, items, is_whole=True)


def _items(
    job: Job[In, Val],
    scheduler: Scheduler[In, Val],
    display: Display,
    start: Start,
    clock: Clock,
) -> Generator[MapItem[Val]]:
    source = iter(cast("Iterable[In]", job.inputs))
    caller = Caller(start)
    try:
        while not scheduler.over:
            for answer in caller.received():
                _settle(scheduler, answer)
                display.show(scheduler.progress(), is_last=False)
            if scheduler.hungry():
                _feed(scheduler, source)
            elif (batch := scheduler.next()) is not None:
                caller.send(batch)
            elif scheduler.failure is None:
                _wait(scheduler, display, caller, clock)
            yield from scheduler.ready()
            if scheduler.failure is not None:
                raise scheduler.failure
    finally:
        caller.stop()
        for answer in caller.received():  # in time after all: it is paid for
            _settle(scheduler, answer)


def _feed(scheduler: Scheduler[In, Val], source: Iterator[In]) -> None:
    try:
        scheduler.feed(next(source))
    except StopIteration:
        scheduler.end_of_inputs()


def _wait(scheduler: Scheduler[Any, Any], display: Display, caller: Caller, clock: Clock) -> None:
    pause = scheduler.pause()
    if not scheduler.under_way:
        clock.sleep(pause or 0.0)
        return
    answer = caller.receive(pause)
    if answer is not None:
        _settle(scheduler, answer)
        display.show(scheduler.progress(), is_last=False)


def _settle(scheduler: Scheduler[Any, Any], answer: Answer) -> None:
    batch, result, failure = answer
    if failure is None:
        scheduler.answered(batch, result)
    else:
        scheduler.failed(batch, failure)
