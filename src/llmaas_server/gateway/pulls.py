"""Models on their way to this machine: one at a time, beside the server's work.

They are not in the database: what has come is on the disk, and what was asked for is in the audit
trail. A pull that a stop of the server cuts is taken up by the next one of the same model.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar, runtime_checkable

from llmaas_client.wire.pulls import Pull, PullFailure, PullState
from llmaas_server.errors import Problem
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.models.progress import Progress, Step
from llmaas_server.storage.database import Database

from .clock import Clock
from .ids import new_id
from .principals import Actor
from .trail import Entry, Trail
from .views import moment

MOST_WAITING = 16
MOST_KEPT = 32
"""Of those that have ended."""

log = logging.getLogger(__name__)

T = TypeVar("T")


@runtime_checkable
class Source(Protocol):
    """A model store that more models can come to, and go from."""

    def pull(
        self, what: str, *, name: str | None = None, progress: Progress = ...
    ) -> InstalledModel: ...

    def remove(self, name: str) -> None: ...


class NoSource:
    """Of a server whose models are not files."""

    def pull(
        self, what: str, *, name: str | None = None, progress: Progress | None = None
    ) -> InstalledModel:
        raise _no_files()

    def remove(self, name: str) -> None:
        raise _no_files()


def _no_files() -> Problem:
    return Problem(
        "conflict",
        "the models of this server are not files",
        hint="Start the server with the setting backend = worker.",
    )


@dataclass(slots=True)
class _Job:
    id: str
    model: str
    wanted_name: str | None
    created_at: int
    state: PullState = "waiting"
    step: Step | None = None
    name: str | None = None
    error: PullFailure | None = None
    ended_at: int | None = None

    @property
    def has_ended(self) -> bool:
        return self.state in ("done", "failed")

    def note(self, step: Step) -> None:
        """Called from any thread."""
        self.step = step

    def view(self) -> Pull:
        step = None if self.has_ended else self.step
        return Pull(
            id=self.id,
            model=self.model,
            state=self.state,
            stage=step and step.stage,
            done_bytes=step and step.done,
            total_bytes=step and step.total,
            name=self.name,
            error=self.error,
            created_at=moment(self.created_at),
            ended_at=None if self.ended_at is None else moment(self.ended_at),
        )


class Pulls:
    """Brings models here, each in its turn."""

    def __init__(self, source: Source, database: Database, trail: Trail, clock: Clock) -> None:
        self._source = source
        self._database = database
        self._trail = trail
        self._clock = clock
        self._jobs: list[_Job] = []
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def list(self) -> list[Pull]:
        """The newest first."""
        return [job.view() for job in reversed(self._jobs)]

    def is_coming(self, name: str) -> bool:
        return any(name in (job.model, job.wanted_name) for job in self._open())

    async def begin(self, actor: Actor, model: str, name: str | None = None) -> Pull:
        """Answers at once. A model that is on its way already is not asked for twice.

        Raises Problem `overloaded`, `storage_unavailable`.
        """
        for job in self._open():
            if (job.model, job.wanted_name) == (model, name):
                return job.view()
        if len(list(self._open())) >= MOST_WAITING:
            raise Problem(
                "overloaded",
                f"{MOST_WAITING} models are on their way, which is the most",
                hint="Ask again when some of them are here: GET /v1/pulls tells.",
                retry_after=10.0,
            )
        job = _Job(new_id("pul"), model, name, self._clock())
        self._jobs.append(job)
        entry = actor.entry("models.pull", model, None, None if name is None else {"name": name})
        try:
            await self._tell(entry)
        except BaseException:
            self._jobs.remove(job)
            raise
        task = asyncio.create_task(self._bring(job, entry), name=f"pull {model}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job.view()

    async def close(self) -> None:
        """What runs is left to its thread, which ends with the process."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _bring(self, job: _Job, entry: Entry) -> None:
        async with self._turn:
            job.state = "running"
            try:
                model = await _in_thread(
                    lambda: self._source.pull(job.model, name=job.wanted_name, progress=job.note)
                )
            except Problem as problem:
                await self._fail(job, entry, problem)
            except Exception as error:  # of a disk, a network, a file that is none
                log.exception("the pull of %s failed", job.model)
                await self._fail(job, entry, _unforeseen(error))
            else:
                job.name, job.state = model.name, "done"
            job.ended_at = self._clock()
            self._forget_oldest()

    async def _fail(self, job: _Job, entry: Entry, problem: Problem) -> None:
        try:
            await self._tell(replace(entry, outcome="refused", detail={"code": problem.code}))
        except Problem as untold:
            log.error("the failed pull of %s is not in the audit trail: %s", job.model, untold)
        # Said once the trail has it: whoever sees it finds it there.
        job.error = PullFailure(code=problem.code, message=problem.message, hint=problem.hint)
        job.state = "failed"

    def _forget_oldest(self) -> None:
        ended = [job for job in self._jobs if job.has_ended]
        for job in ended[: max(0, len(ended) - MOST_KEPT)]:
            self._jobs.remove(job)

    def _open(self) -> Iterable[_Job]:
        return (job for job in self._jobs if not job.has_ended)

    async def _tell(self, entry: Entry) -> None:
        await self._database.write(lambda tables: self._trail.add(tables, entry))


def _unforeseen(error: Exception) -> Problem:
    return Problem(
        "internal_error",
        f"{type(error).__name__}: {error}",
        hint="See that there is room on the disk and a way to where the model comes from; the "
        "server's log has the whole error.",
    )


async def _in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread that does not keep the process from ending.

    Those of the loop's own pool are waited for when it closes, for as long as a download takes.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)  # type: ignore[arg-type]  # T may itself be None
        else:
            future.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as caught:  # whatever it is, the one who waits is told
            error = caught
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="llmaas-pull", daemon=True).start()
    return await future
