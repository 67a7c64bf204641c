"""The models in memory: loaded beside the step loop, and unloaded when others need their room.

All that is decided is decided on the event loop, in one place at a time: what fits is asked of
`memory.Budget`, and promised before anything is read. No torch here: what loads a model is passed
in.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Literal, Protocol

from llmaas_server.errors import Problem
from llmaas_server.seam.lanes import LaneState, LaneWork, total
from llmaas_server.seam.values import ModelKind, ModelRef, ModelStatus, WorkerOptions

from . import heap
from .clock import Clock
from .interface import Model
from .lane import Lane
from .loop import StepLoop
from .mailboxes import Mailboxes
from .memory import Budget, Holding, Size, mib
from .resident import LANES, Resident

log = logging.getLogger(__name__)


Opener = Callable[[ModelRef, WorkerOptions, Callable[[float], None]], tuple[Model, Lane]]
"""Reads a model and makes its lane; tells the function the share of its bytes read, 0 to 1."""

State = Literal["loading", "resident"]

_NOTHING = LaneState()

_BUILDING_SECONDS = 1.0
"""How often a wait for kernels that are being built is a sign of life."""


class Estimate(Protocol):
    """How much memory a model will take. Called in a thread; raises Problem."""

    def __call__(self, ref: ModelRef, *, built: bool = False) -> Size:
        """`built`: wait until the kernels are there, so that torch's copy is none beside theirs."""


@dataclass(slots=True)
class _Loading:
    task: asyncio.Task[None]
    size: Size = field(default_factory=lambda: Size(0))
    """What was promised to it."""
    progress: float = 0.0


class Residents:
    """Loads, finds and unloads models. Everything but reading them happens on the event loop."""

    def __init__(
        self,
        options: WorkerOptions,
        budget: Budget,
        estimate: Estimate,
        open_model: Opener,
        steps: StepLoop,
        mailboxes: Mailboxes,
        clock: Clock,
    ) -> None:
        self.reads = 0
        """Grows while a model is read."""
        self._options = options
        self._budget = budget
        self._estimate = estimate
        self._open_model = open_model
        self._steps = steps
        self._mailboxes = mailboxes
        self._clock = clock
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llmaas-load")
        self._keys = count()
        self._residents: dict[ModelRef, Resident] = {}
        self._loadings: dict[ModelRef, _Loading] = {}
        self._leaving: dict[int, Resident] = {}
        self._past: list[LaneWork] = []
        """What the lanes of models have done that are gone."""
        self._deciding = asyncio.Lock()
        """Held from looking at the memory to having promised it."""

    @property
    def loading(self) -> bool:
        return bool(self._loadings)

    def statuses(self) -> list[ModelStatus]:
        loading = [
            self._status(ref, "loading", one.progress, one.size, in_use=True, kernels="")
            for ref, one in self._loadings.items()
        ]
        resident = [
            self._status(
                ref,
                "resident",
                1.0,
                one.size,
                in_use=one.in_use,
                kernels=one.lane.kernels,
                now=one.lane.state,
            )
            for ref, one in self._residents.items()
        ]
        return loading + resident

    def _status(
        self,
        ref: ModelRef,
        state: State,
        progress: float,
        size: Size,
        *,
        in_use: bool,
        kernels: str,
        now: LaneState = _NOTHING,
    ) -> ModelStatus:
        return ModelStatus(
            ref.name,
            state,
            progress,
            size.weights,
            kv_bytes=size.kv,
            in_use=in_use,
            pinned=self._is_pinned(ref),
            kernels=kernels,
            quantization=self._options.quantization_of(ref.name),
            lane=LANES[ref.kind],
            now=now,
        )

    def work(self) -> list[LaneWork]:
        """What lanes have done so far, those of models that are gone, too."""
        here = (*self._residents.values(), *self._leaving.values())
        return total([*self._past, *(one.work for one in here)])

    @contextlib.asynccontextmanager
    async def using(self, ref: ModelRef) -> AsyncIterator[Model]:
        """The model, loaded where it is not resident; it stays while the context lasts.

        Raises Problem as reading it does, and `out_of_memory`.
        """
        resident = await self._resident(ref)
        resident.calls += 1
        with self._kept(resident):
            try:
                yield resident.model
            finally:
                resident.calls -= 1

    @contextlib.contextmanager
    def job(self, model: Model, kinds: tuple[ModelKind, ...]) -> Iterator[int]:
        """The key of the model's lane, for a job that models of `kinds` can do."""
        resident = self._find(model, kinds)
        resident.jobs += 1
        with self._kept(resident):
            try:
                yield resident.key
            finally:
                resident.jobs -= 1

    async def load(self, ref: ModelRef) -> Model:
        return (await self._resident(ref)).model

    async def unload(self, name: str) -> None:
        """Let those that use the model end, then give its memory back. New ones load it anew."""
        if tasks := [loading.task for ref, loading in self._loadings.items() if ref.name == name]:
            await asyncio.wait(tasks)
        for ref in [ref for ref in self._residents if ref.name == name]:
            self._leave(ref)
        going = [
            one.leaving
            for one in self._leaving.values()
            if one.model.ref.name == name and one.leaving is not None
        ]
        if going:
            await asyncio.wait(going)
        for task in going:
            task.result()

    def close(self) -> None:
        """Wait for the load in progress, if there is one, and start none that wait."""
        self._reader.shutdown(cancel_futures=True)

    # --- finding --------------------------------------------------------------------------------

    async def _resident(self, ref: ModelRef) -> Resident:
        while ref not in self._residents:  # It may be gone again by the time that this one wakes.
            if ref not in self._loadings:
                task = asyncio.create_task(self._load(ref))
                task.add_done_callback(_retrieve)
                self._loadings[ref] = _Loading(task)
            # A caller that goes away leaves the load to those that wait with it, or come later.
            await asyncio.shield(self._loadings[ref].task)
        return self._residents[ref]

    def _find(self, model: Model, kinds: tuple[ModelKind, ...]) -> Resident:
        ref = model.ref
        if ref.kind not in kinds:
            raise Problem(
                "model_cannot_do_task",
                f"{ref.name!r} is of the kind {ref.kind}; this needs one of {', '.join(kinds)}",
            )
        if ref in self._residents:
            return self._residents[ref]
        for leaving in self._leaving.values():
            if leaving.model is model and leaving.calls:
                return leaving
        raise Problem(
            "overloaded",
            f"the model {ref.name!r} was unloaded before the request ran",
            hint="Send the request again: the model is loaded anew.",
        )

    # --- use ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _kept(self, resident: Resident) -> Iterator[None]:
        """Around a use: the model is not idle before its last use has ended."""
        resident.idle.clear()
        resident.quiet()
        try:
            yield
        finally:
            if not resident.in_use:
                self._rest(resident)

    def _rest(self, resident: Resident) -> None:
        """Note that nobody needs the model now."""
        resident.used = self._clock.now()
        resident.idle.set()
        ref, seconds = resident.model.ref, self._options.idle_seconds
        if (
            seconds is not None
            and self._residents.get(ref) is resident
            and not self._is_pinned(ref)
        ):
            resident.alarm = self._clock.later(seconds, lambda: self._unload_idle(ref, resident))

    def _unload_idle(self, ref: ModelRef, resident: Resident) -> None:
        resident.alarm = None
        if self._residents.get(ref) is resident and not resident.in_use:
            log.info("unloading %s: idle for %g s", ref.name, self._options.idle_seconds)
            self._leave(ref)

    def _is_pinned(self, ref: ModelRef) -> bool:
        return ref.name in self._options.pinned

    # --- loading --------------------------------------------------------------------------------

    async def _load(self, ref: ModelRef) -> None:
        try:
            promised = await self._promise(ref)
            reading = asyncio.get_running_loop().run_in_executor(self._reader, self._read, ref)
            model, lane = await reading
        finally:
            del self._loadings[ref]
        resident = Resident(model, next(self._keys), lane, promised, self._clock.now())
        self._steps.add(resident.key, lane)
        self._residents[ref] = resident
        self._rest(resident)

    async def _promise(self, ref: ModelRef) -> Size:
        """Memory for the model, from those that can spare it. Raises Problem `out_of_memory`."""
        size = await asyncio.to_thread(self._estimate, ref)
        if not self._budget.can_hold(size, self._holdings()):
            size = await self._estimate_built(ref)
        async with self._deciding:
            held = self._holdings()
            if not self._budget.can_hold(size, held):
                raise self._budget.refusal(ref.name, size, held)
            gone = {one.name for one in self._budget.leavers(size, held)}
            leaving = [self._leave(one) for one in list(self._residents) if one.name in gone]
            self._loadings[ref].size = size
            if leaving:
                log.info("unloading %s for %s", ", ".join(sorted(gone)), ref.name)
                await asyncio.wait(leaving)
        log.info("loading %s: about %s", ref.name, mib(size.total))
        return size

    async def _estimate_built(self, ref: ModelRef) -> Size:
        """Where memory is tight, a model waits for its kernels instead of being there twice."""
        estimating = asyncio.ensure_future(
            asyncio.to_thread(partial(self._estimate, ref, built=True))
        )
        while not estimating.done():
            await asyncio.wait({estimating}, timeout=_BUILDING_SECONDS)
            self.reads += 1
        return await estimating

    def _holdings(self) -> list[Holding]:
        promised = [
            Holding(ref.name, loading.size, self._clock.now(), free=False)
            for ref, loading in self._loadings.items()
            if loading.size.total
        ]
        leaving = [one.holding(free=False) for one in self._leaving.values()]
        resident = [
            one.holding(free=not (one.in_use or self._is_pinned(ref)))
            for ref, one in self._residents.items()
        ]
        return promised + leaving + resident

    def _read(self, ref: ModelRef) -> tuple[Model, Lane]:
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

    # --- unloading ------------------------------------------------------------------------------

    def _leave(self, ref: ModelRef) -> asyncio.Task[None]:
        """Take the model off the list; the task ends when its memory is free."""
        resident = self._residents.pop(ref)
        resident.quiet()
        self._leaving[resident.key] = resident
        resident.leaving = asyncio.create_task(self._drop(resident.key))
        resident.leaving.add_done_callback(_retrieve)
        return resident.leaving

    async def _drop(self, key: int) -> None:
        await self._leaving[key].idle.wait()
        try:
            with self._mailboxes.open() as (ticket, mailbox):
                self._steps.remove(key, ticket)
                await mailbox.get()
        finally:
            self._past = total([*self._past, self._leaving[key].work])
            del self._leaving[key]  # Nothing else refers to the model now.
        await asyncio.to_thread(heap.give_back)


def _retrieve(task: asyncio.Task[None]) -> None:
    """Whoever waits for the task is told of its failure; where nobody does, it is no news."""
    if not task.cancelled():
        task.exception()
