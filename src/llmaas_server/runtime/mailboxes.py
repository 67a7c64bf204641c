"""From the engine's thread to the coroutines that wait on the event loop. No torch here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from llmaas_server.errors import Problem

from .lane import Output


class Mailboxes:
    """A mailbox for each job, by id: the outlet of `StepLoop`.

    All that a step brought crosses in one call to the event loop. A mailbox has no limit of its
    own (a job's tokens have), so a slow reader never holds up the thread.
    """

    def __init__(self) -> None:
        self._ids = count()
        self._open: dict[int, asyncio.Queue[Output]] = {}
        self._events: asyncio.AbstractEventLoop | None = None
        self._ended: Problem | None = None

    @contextlib.contextmanager
    def open(self) -> Iterator[tuple[int, asyncio.Queue[Output]]]:
        """A new id and its mailbox, while the context lasts. Called on the event loop.

        Raises Problem where the thread has ended and nothing will ever come.
        """
        if self._ended is not None:
            raise self._ended
        self._events = asyncio.get_running_loop()
        id, mailbox = next(self._ids), asyncio.Queue[Output]()
        self._open[id] = mailbox
        try:
            yield id, mailbox
        finally:
            del self._open[id]

    def deliver(self, outputs: list[Output]) -> None:
        self._call(self._distribute, outputs)

    def end(self, problem: Problem) -> None:
        self._call(self._fail_all, problem)

    def _call(self, function: Callable[[Any], None], value: Any) -> None:
        if self._events is None:  # no mailbox was ever opened
            function(value)
            return
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody waits
            self._events.call_soon_threadsafe(function, value)

    def _distribute(self, outputs: list[Output]) -> None:
        for output in outputs:
            if mailbox := self._open.get(output.job_id):
                mailbox.put_nowait(output)

    def _fail_all(self, problem: Problem) -> None:
        self._ended = problem
        for id, mailbox in self._open.items():
            mailbox.put_nowait(Output(id, done=True, problem=problem))
