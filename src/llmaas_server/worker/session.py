"""One worker's conversation with its front: requests in, answers and a pulse out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from llmaas_client.wire import JOBS, TASKS
from llmaas_server.errors import Problem
from llmaas_server.seam.attachments import Attachments
from llmaas_server.seam.channel import Channel
from llmaas_server.seam.frames import (
    Broken,
    Cancel,
    Done,
    FrameError,
    FrontFrame,
    Load,
    Measure,
    Options,
    Pulse,
    Ready,
    Run,
    Unload,
)
from llmaas_server.seam.lanes import LaneWork
from llmaas_server.seam.values import ModelStatus, WorkerOptions
from llmaas_server.tasks.base import find

from .calls import CallRunner, CallRuntime
from .failures import failure_of_any
from .outbox import Outbox

logger = logging.getLogger(__name__)

PULSE_SECONDS = 0.5

_TOKENIZING_THREADS = 4
"""More would only take cores from the arithmetic."""


class WorkerRuntime(CallRuntime, Protocol):
    """A runtime that can be watched and ended; `runtime.engine.Engine` is one."""

    @property
    def memory_bytes(self) -> int:
        """Most that models may take."""

    @property
    def failure(self) -> str | None:
        """Set once the runtime can do nothing any more: the process is to be replaced."""

    def progress(self) -> int:
        """Changes with every step, and while a model is read."""

    def models(self) -> list[ModelStatus]: ...

    def work(self) -> list[LaneWork]:
        """What lanes have done since the runtime was made; of models that are gone, too."""

    def close(self) -> None:
        """End all work and all threads; blocks until they are gone."""


class UnusableError(Exception):
    """This worker cannot go on; the front starts another."""


class RefusedError(UnusableError):
    """This machine cannot do what the options ask for; the front knows why, and says it."""


async def converse(
    channel: Channel[FrontFrame], create: Callable[[WorkerOptions], WorkerRuntime]
) -> None:
    """Build the runtime, then serve until the front closes the connection.

    Raises UnusableError, and FrameError where the front cannot be understood.
    """
    first = await channel.receive()
    if not isinstance(first, Options):
        raise FrameError("the front did not begin with its options")
    async with asyncio.TaskGroup() as group:
        heart = group.create_task(_beat(channel, lambda: STARTING))
        runtime = await _build(channel, create, first.options)
        heart.cancel()
    try:
        channel.send(Ready(runtime.memory_bytes))
        await Session(channel, runtime).serve()
    finally:
        await asyncio.to_thread(runtime.close)


STARTING = Pulse(busy=True, progress=0, models=[])
"""The pulse while the runtime is built: imports that never end are a hang, too."""


async def _beat(channel: Channel[FrontFrame], pulse: Callable[[], Pulse]) -> None:
    while True:
        channel.send(pulse())
        await asyncio.sleep(PULSE_SECONDS)


async def _build(
    channel: Channel[FrontFrame],
    create: Callable[[WorkerOptions], WorkerRuntime],
    options: WorkerOptions,
) -> WorkerRuntime:
    try:
        return await asyncio.to_thread(_prepare, create, options)
    except Problem as problem:  # a setting that this machine cannot meet: its words are enough
        reason = f"{problem.message}. {problem.hint}".removesuffix(".")
        channel.send(Broken(reason))
        raise RefusedError(reason) from None
    except Exception as error:
        channel.send(Broken(str(error) or type(error).__name__))
        raise UnusableError("the runtime cannot be built") from error


def _prepare(
    create: Callable[[WorkerOptions], WorkerRuntime], options: WorkerOptions
) -> WorkerRuntime:
    for name in (*TASKS, *JOBS):
        find(name)  # Imports it: no call, and no stream beside it, waits for that later.
    return create(options)


class Session:
    """The requests of the front, each one task; answers go through one outbox."""

    def __init__(self, channel: Channel[FrontFrame], runtime: WorkerRuntime) -> None:
        self._channel = channel
        self._runtime = runtime
        self._attachments = Attachments()
        self._outbox = Outbox(channel)
        self._threads = ThreadPoolExecutor(_TOKENIZING_THREADS, "tokenize")
        self._calls = CallRunner(runtime, self._outbox, self._threads, find)
        self._jobs: dict[int, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Answer requests until the front closes; then end what runs."""
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(self._outbox.send_forever()),
                group.create_task(_beat(self._channel, self._pulse)),
            ]
            try:
                while (frame := await self._channel.receive()) is not None:
                    self._handle(frame)
            finally:
                for task in beside:
                    task.cancel()
                await self._end_jobs()
                self._threads.shutdown(wait=False, cancel_futures=True)

    def _handle(self, frame: FrontFrame) -> None:
        match frame:
            case Measure(request_id, call):
                whole = self._attachments.restore(call)
                self._begin(request_id, self._calls.serve(request_id, whole))
            case Run(request_id):
                self._calls.start(request_id)
            case Cancel(request_id):
                if job := self._jobs.get(request_id):
                    job.cancel()
            case Load(request_id, model):
                self._begin(
                    request_id, self._fulfil(request_id, model.name, self._runtime.load(model))
                )
            case Unload(request_id, name):
                self._begin(request_id, self._fulfil(request_id, name, self._runtime.unload(name)))
            case Options():
                raise FrameError("the front sent its options twice")

    def _begin(self, request_id: int, work: Coroutine[Any, Any, None]) -> None:
        job = self._jobs[request_id] = asyncio.create_task(work)
        job.add_done_callback(lambda _: self._jobs.pop(request_id))

    async def _fulfil(self, request_id: int, name: str, work: Awaitable[object]) -> None:
        try:
            await work
        except Exception as error:
            self._outbox.put(request_id, failure_of_any(error, f"model {name}"))
        else:
            if self._runtime.failure is None:
                self._channel.send(self._pulse())  # so that the front sees it with the answer
            self._outbox.put(request_id, Done())

    def _pulse(self) -> Pulse:
        """Raises UnusableError where the runtime has failed for good."""
        if self._runtime.failure is not None:
            raise UnusableError(self._runtime.failure)
        return Pulse(
            busy=len(self._jobs) > self._calls.parked,
            progress=self._runtime.progress() + self._outbox.progress,
            models=self._runtime.models(),
            work=self._runtime.work(),
        )

    async def _end_jobs(self) -> None:
        jobs = list(self._jobs.values())
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
