"""Keeps one worker alive: starts it, watches it, replaces it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from llmaas_server.errors import Problem
from llmaas_server.seam.failures import failure_of
from llmaas_server.seam.frames import (
    Answers,
    Broken,
    FrameError,
    Options,
    Pulse,
    Ready,
    WorkerFrame,
)
from llmaas_server.seam.lanes import LaneWork, total
from llmaas_server.seam.values import ModelStatus, WorkerOptions

from .backoff import Backoff
from .connection import Connection
from .process import WorkerProcess
from .watch import Watch

logger = logging.getLogger(__name__)

_ENDING_SECONDS = 5.0
"""How long a worker may take to end in order before it is killed."""

_EXIT_SECONDS = 0.5
"""How long the exit of a worker that closed its connection may take, to learn its status."""

_PATIENCE = 3
"""After so many workers in a row that ended soon, callers are not kept waiting for the next."""


class _Life:
    """One worker, and what is known of it."""

    def __init__(self, process: WorkerProcess, hang_seconds: float) -> None:
        self.process = process
        self.connection = Connection(process.channel)
        self.watch = Watch(hang_seconds, _now())
        self.ready_since: float | None = None
        self.broken: str | None = None
        self.models: list[ModelStatus] = []
        self.work: list[LaneWork] = []
        self.memory_bytes = 0

    @property
    def ready_seconds(self) -> float:
        return 0.0 if self.ready_since is None else _now() - self.ready_since


class Supervisor:
    """One worker at a time; the next one when it crashes or hangs."""

    def __init__(
        self,
        options: WorkerOptions,
        *,
        environment: Mapping[str, str],
        runtime: str,
        hang_seconds: float,
    ) -> None:
        self._options = options
        self._environment = environment
        self._runtime = runtime
        self._hang_seconds = hang_seconds
        self._backoff = Backoff()
        self._life: _Life | None = None
        self._past: list[LaneWork] = []
        """What the workers before this one have told that they did."""
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._next_start = 0.0
        self.restarts = 0
        self.detail = "not started"

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._keep(), name="supervisor")
            self._task.add_done_callback(_report)

    async def stop(self) -> None:
        """End the worker; what is still open ends with `shutting_down`."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait({self._task})
        self._tell("stopped")

    @property
    def ready(self) -> bool:
        life = self._life
        return life is not None and life.ready_since is not None and life.watch.healthy

    @property
    def pid(self) -> int | None:
        return self._life.process.pid if self._life else None

    @property
    def models(self) -> list[ModelStatus]:
        return self._life.models if self._life else []

    @property
    def work(self) -> list[LaneWork]:
        """What all workers have done, one after the other. What one did after its last pulse
        is not known, so it may be too little, and it never falls."""
        return total([*self._past, *self._life.work]) if self._life else self._past

    @property
    def memory_bytes(self) -> int:
        """Most that the worker's models may take; 0 while it is not ready."""
        return self._life.memory_bytes if self._life else 0

    async def connection(self, deadline: float | None) -> Connection:
        """The worker that is ready, waiting for it where it starts.

        Raises Problem: `starting` where one worker after the other ends, `shutting_down`,
        `deadline_exceeded`.
        """
        try:
            async with asyncio.timeout_at(deadline):
                while (connection := self._usable()) is None:
                    await self._changed.wait()
        except TimeoutError:
            raise Problem("deadline_exceeded", "the worker was not ready in time") from None
        return connection

    def _usable(self) -> Connection | None:
        if self._task is None or self._task.done():
            raise Problem("shutting_down")
        if self._life and self._life.ready_since is not None:
            return self._life.connection
        if self._backoff.failures >= _PATIENCE:
            wait = max(self._next_start - _now(), 0.0)
            raise Problem(
                "starting",
                f"the worker ended {self._backoff.failures} times in a row: {self.detail}",
                hint="The server's log says why it ends.",
                retry_after=round(wait + 1.0, 1),
            )
        return None

    async def _keep(self) -> None:
        """Workers, one after the other, until this is cancelled."""
        while True:
            delay = self._backoff.after(await self._live())
            self._next_start = _now() + delay
            self.restarts += 1
            logger.warning("%s; the next starts in %.1f s", self.detail, delay)
            self._tell(self.detail)
            await asyncio.sleep(delay)

    async def _live(self) -> float:
        """One worker from its start to its end; how long it was ready, in seconds."""
        self._tell("the worker is starting")
        try:
            process = await WorkerProcess.start(self._environment, self._runtime)
        except OSError as error:
            self.detail = f"the worker cannot be started: {error}"
            return 0.0
        life = self._life = _Life(process, self._hang_seconds)
        try:
            life.connection.send(Options(self._options))
            why = await self._attend(life)
        except asyncio.CancelledError:
            grace = 0.0 if life.ready_since is None else _ENDING_SECONDS
            await self._end(life, Problem("shutting_down"), grace)
            raise
        status = await self._end(life, Problem("worker_lost"), 0.0 if why else _EXIT_SECONDS)
        self.detail = why or life.broken or f"the worker ended with {_describe(status)}"
        return life.ready_seconds

    async def _attend(self, life: _Life) -> str | None:
        """Hear the worker until it ends (None) or is to be replaced (why)."""
        while life.watch.verdict is None:
            try:
                async with asyncio.timeout(life.watch.interval):
                    frame = await life.process.channel.receive()
            except TimeoutError:
                life.watch.look(_now())
                continue
            except FrameError as error:
                return f"the worker cannot be understood: {error}"
            if frame is None:
                return None
            life.watch.look(_now())
            self._hear(life, frame)
        await life.process.show_where_it_hangs()
        return f"the worker hangs: {life.watch.verdict}"

    def _hear(self, life: _Life, frame: WorkerFrame) -> None:
        match frame:
            case Answers():
                life.connection.hear(frame)
            case Pulse():
                life.watch.hear(frame)
                life.models = frame.models
                life.work = frame.work
            case Ready(memory_bytes):
                life.memory_bytes = memory_bytes
                life.ready_since = _now()
                self._tell("")
            case Broken(message):
                life.broken = f"the worker cannot start: {message}"

    async def _end(self, life: _Life, problem: Problem, grace: float) -> int:
        """End the open exchanges at once, then the process."""
        self._past, self._life = self.work, None
        life.connection.lose(failure_of(problem))
        return await life.process.end(grace)

    def _tell(self, detail: str) -> None:
        """Wake everyone who waits for the worker's state to change."""
        self.detail = detail
        self._changed.set()
        self._changed = asyncio.Event()


def _now() -> float:
    """The clock of deadlines and of the watch, in seconds."""
    return asyncio.get_running_loop().time()


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.critical("no worker is supervised any more", exc_info=error)


def _describe(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"
