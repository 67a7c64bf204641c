"""Requests side by side, their answers in order; and what becomes of a row that is refused."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import Generic, TypeAlias, TypeVar

from llmaas_client.errors import (
    BodyTooLarge,
    ContextOverflow,
    EmptyText,
    InvalidRequest,
    InvalidText,
    LLMaaSError,
)

A = TypeVar("A")
B = TypeVar("B")

CONCURRENCY = 4
BATCH = 32

Progress: TypeAlias = Callable[[int], None]
"""Is called with the number of rows that are done."""

OF_ONE_TEXT = (BodyTooLarge, ContextOverflow, EmptyText, InvalidText)
"""Errors that one text of a batch brings about, and the others have nothing to do with."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came in the middle; `report` is of the rows that were done, None where none was."""

    def __init__(self, done: int, report: object | None) -> None:
        super().__init__(f"interrupted after {done} rows")
        self.done = done
        self.report = report


@dataclass(frozen=True, slots=True)
class Refused:
    """A row without an answer, and why."""

    where: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Answered(Generic[A, B]):
    """An item and what came back for it."""

    item: A
    answer: B | Refused


class Crew(Generic[A, B]):
    """Threads that work through a queue."""

    def __init__(self, function: Callable[[A], B], size: int) -> None:
        self._function = function
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._size = size
        self._under_way: deque[Future[B]] = deque()
        # Daemons: after Ctrl-C the process may end without the answers that they wait for.
        self._threads = [
            threading.Thread(target=self._run, name=f"evaluation-{number}", daemon=True)
            for number in range(size)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()

    def results(self, items: Iterable[A]) -> Iterator[B]:
        """In the order of the items, which are read no further ahead than it takes."""
        for item in items:
            self._submit(item)
            if len(self._under_way) >= 2 * self._size:
                yield self._under_way.popleft().result()
        while self._under_way:
            yield self._under_way.popleft().result()

    def _submit(self, item: A) -> None:
        future: Future[B] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(self._function(item))
            except BaseException as error:  # raised where the result is asked for
                future.set_exception(error)

        self._under_way.append(future)
        self._work.put(work)

    def dismiss(self) -> None:
        """Start nothing more; what is under way comes to its end."""
        for future in self._under_way:
            future.cancel()
        for _ in self._threads:
            self._work.put(None)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


@contextmanager
def in_order(
    function: Callable[[A], B], items: Iterable[A], concurrency: int
) -> Generator[Iterator[B]]:
    """Results of so many calls at a time, in the order of the items.

    At the end of the block nothing is under way any more; but Ctrl-C waits for no answer.
    """
    crew = Crew(function, concurrency)
    try:
        yield crew.results(items)
    except KeyboardInterrupt:
        crew.dismiss()
        raise
    except BaseException:
        crew.dismiss()
        crew.join()
        raise
    crew.dismiss()
    crew.join()


def batches(items: Iterable[A], size: int) -> Iterator[list[A]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def each(
    batch: Sequence[A],
    ask: Callable[[Sequence[A]], Sequence[B]],
    where: Callable[[A], str],
    skip: bool,
) -> list[Answered[A, B]]:
    """The answers of a batch; where one text spoils it, it is found by halving.

    With `skip` such a row is passed over and told of; else the error is raised with its place.
    """
    try:
        return [Answered(*pair) for pair in zip(batch, ask(batch), strict=True)]
    except OF_ONE_TEXT as error:
        if len(batch) > 1:
            half = len(batch) // 2
            return [*each(batch[:half], ask, where, skip), *each(batch[half:], ask, where, skip)]
        if not skip:
            raise _placed(error, where(batch[0])) from None
        return [Answered(batch[0], Refused(where(batch[0]), error.code, error.message))]


def one_of(item: A, ask: Callable[[A], B], where: str, skip: bool) -> Answered[A, B]:
    """The answer for a row that is a request by itself: whatever is wrong with that is its own."""
    try:
        return Answered(item, ask(item))
    except InvalidRequest as error:
        if not skip:
            raise _placed(error, where) from None
        return Answered(item, Refused(where, error.code, error.message))


def _placed(error: LLMaaSError, where: str) -> LLMaaSError:
    """The same error, which now says where it happened."""
    error.message = f"{where}: {error.message}"
    error.hint = " ".join(filter(None, [error.hint, "skip_refused passes such rows over."]))
    return error
