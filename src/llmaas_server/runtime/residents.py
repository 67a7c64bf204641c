"""The models in memory: loaded beside the step loop, unloaded when their last job has ended.

No torch here: what loads a model is passed in.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from llmaas_server.errors import Problem
from llmaas_server.seam.values import ModelKind, ModelRef, ModelStatus, WorkerOptions

from .interface import Model
from .lane import Lane
from .loop import StepLoop
from .mailboxes import Mailboxes

log = logging.getLogger(__name__)


class WeighedModel(Model, Protocol):
    """A model that knows its size."""

    @property
    def bytes(self) -> int:
        """Of its weights in memory."""


Opener = Callable[[ModelRef, WorkerOptions, Callable[[float], None]], tuple[WeighedModel, Lane]]
"""Reads a model and makes its lane; tells the function the share of its bytes read, 0 to 1."""


@dataclass(slots=True)
class Resident:
    """A model in memory, and how many jobs it has."""

    model: WeighedModel
    key: int
    """Of its lane in the step loop."""
    jobs: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.contextmanager
    def job(self) -> Iterator[None]:
        """Hold the model while the context lasts."""
        self.jobs += 1
        self.idle.clear()
        try:
            yield
        finally:
            self.jobs -= 1
            if not self.jobs:
                self.idle.set()


@dataclass(slots=True)
class _Loading:
    task: asyncio.Task[Model]
    progress: float = 0.0


class Residents:
    """Loads, finds and unloads models. Everything but reading them happens on the event loop."""

    def __init__(
        self,
        options: WorkerOptions,
        open_model: Opener,
        steps: StepLoop,
        mailboxes: Mailboxes,
    ) -> None:
        self.reads = 0
        """Grows while a model is read."""
        self._options = options
        self._open_model = open_model
        self._steps = steps
        self._mailboxes = mailboxes
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llmaas-load")
        self._keys = count()
        self._residents: dict[ModelRef, Resident] = {}
        self._loadings: dict[ModelRef, _Loading] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def loading(self) -> bool:
        return bool(self._loadings)

    def statuses(self) -> list[ModelStatus]:
        loading = [
            ModelStatus(ref.name, "loading", loading.progress, 0)
            for ref, loading in self._loadings.items()
        ]
        resident = [
            ModelStatus(ref.name, "resident", 1.0, resident.model.bytes)
            for ref, resident in self._residents.items()
        ]
        return loading + resident

    def find(self, model: Model, kinds: tuple[ModelKind, ...]) -> Resident:
        """The model, for work that models of `kinds` can do."""
        ref = model.ref
        if ref.kind not in kinds:
            raise Problem(
                "model_cannot_do_task",
                f"{ref.name!r} is of the kind {ref.kind}; this needs one of {', '.join(kinds)}",
            )
        if ref not in self._residents:
            raise Problem(
                "overloaded",
                f"the model {ref.name!r} was unloaded before the request ran",
                hint="Send the request again: the model is loaded anew.",
            )
        return self._residents[ref]

    async def load(self, ref: ModelRef) -> Model:
        if ref in self._residents:
            return self._residents[ref].model
        if ref not in self._loadings:
            task = asyncio.create_task(self._load(ref))
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._loadings[ref] = _Loading(task)
        # A caller that goes away leaves the load to those that wait with it, or come later.
        return await asyncio.shield(self._loadings[ref].task)

    async def unload(self, name: str) -> None:
        """Let the model's jobs end, then give its memory back. New jobs are refused meanwhile."""
        if tasks := [loading.task for ref, loading in self._loadings.items() if ref.name == name]:
            await asyncio.wait(tasks)
        for ref in [ref for ref in self._residents if ref.name == name]:
            task = asyncio.create_task(self._drop(self._residents.pop(ref)))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
            await asyncio.shield(task)

    def close(self) -> None:
        """Wait for the load in progress, if there is one, and start none that wait."""
        self._reader.shutdown(cancel_futures=True)

    async def _load(self, ref: ModelRef) -> Model:
        reading = asyncio.get_running_loop().run_in_executor(self._reader, self._read, ref)
        try:
            model, lane = await reading
        finally:
            del self._loadings[ref]
        resident = Resident(model, next(self._keys))
        resident.idle.set()
        self._steps.add(resident.key, lane)
        self._residents[ref] = resident
        return model

    def _read(self, ref: ModelRef) -> tuple[WeighedModel, Lane]:
        """Runs in the reader's thread."""

        def note(share: float) -> None:
            self.reads += 1
            self._loadings[ref].progress = share

        try:
            return self._open_model(ref, self._options, note)
        except Problem:
            raise
        except Exception as error:
            log.exception("reading the model %s failed", ref.name)
            raise Problem("model_broken", f"{ref.name!r} cannot be loaded: {error}") from error

    async def _drop(self, resident: Resident) -> None:
        await resident.idle.wait()
        with self._mailboxes.open() as (ticket, mailbox):
            self._steps.remove(resident.key, ticket)
            await mailbox.get()
