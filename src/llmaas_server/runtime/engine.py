"""The runtime's face: coroutines on one side, the thread that steps the lanes on the other.

No torch is imported with this module: it comes with `create`, which runs beside the event loop.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from llmaas_server.errors import Problem
from llmaas_server.models.machine import SHARE_FOR_MODELS
from llmaas_server.seam.lanes import LaneWork
from llmaas_server.seam.values import ModelKind, ModelRef, ModelStatus, WorkerOptions

from .clock import Clock, LoopClock
from .interface import Floats, Model
from .lane import Job
from .loop import StepLoop
from .mailboxes import Mailboxes
from .memory import Budget
from .recording import timed
from .request import (
    Attention,
    Attributed,
    Attribution,
    Encoding,
    Finished,
    Generation,
    Scoring,
    Token,
)
from .residents import Estimate, Opener, Residents
from .spending import current
from .twin import twin_name, twin_of

_Kinds = tuple[ModelKind, ...]
_GENERATE: _Kinds = ("decoder", "seq2seq")
_SCORE: _Kinds = ("decoder",)
_EMBED: _Kinds = ("encoder",)
_CLASSIFY: _Kinds = ("classifier",)
_TRACE: _Kinds = ("encoder", "classifier")


def create(options: WorkerOptions) -> Engine:
    """The engine of a worker. Imports torch, so it takes seconds: call it in a thread."""
    from .device import device_of, memory_of, set_threads
    from .opening import Opening
    from .sizes import Sizes

    device = device_of(options)  # one that is not there is found now, not with the first model
    set_threads(options)
    budget = Budget(options.memory_bytes or int(SHARE_FOR_MODELS * memory_of(device)))
    opening = Opening(options)
    estimate = Sizes(options, opening.supply)
    return Engine(options, opening.open, budget, estimate, on_gpu=device.type == "cuda")


class Engine:
    """Implements `interface.Runtime`. Its async methods belong to one event loop.

    Models are read one after another in a thread of their own; all else is done by the thread of
    `StepLoop`. Where that one fails, every job and every later call fails with `internal_error`,
    and `failure` says why: the process is to be replaced.
    """

    def __init__(
        self,
        options: WorkerOptions,
        open_model: Opener,
        budget: Budget,
        estimate: Estimate,
        clock: Clock | None = None,
        *,
        on_gpu: bool = False,
    ) -> None:
        """`clock` tells when a model is idle for too long; None is that of the event loop."""
        self.on_gpu = on_gpu
        """What the time of steps is the time of."""
        self.memory_bytes = budget.bytes
        """Most that models may take."""
        self._mailboxes = Mailboxes()
        self._steps = StepLoop(self._mailboxes)
        self._residents = Residents(
            options,
            budget,
            estimate,
            open_model,
            self._steps,
            self._mailboxes,
            clock or LoopClock(),
        )

    # --- for the worker -------------------------------------------------------------------------

    def progress(self) -> int:
        """A number that changes with every step and every piece of a model that is read."""
        return self._steps.steps + self._residents.reads

    @property
    def busy(self) -> bool:
        """Whether there is work: `progress` must then change, or something hangs."""
        return self._steps.busy or self._residents.loading

    @property
    def failure(self) -> str | None:
        """Why the engine can do nothing more; None while it can."""
        return self._steps.failure

    def models(self) -> list[ModelStatus]:
        return self._residents.statuses()

    def work(self) -> list[LaneWork]:
        """What lanes have done so far, those of models that are gone, too."""
        return self._residents.work()

    async def settled(self) -> None:
        """Return when all that was stopped before is stopped, and counted: within one step.

        Raises Problem where the engine has ended.
        """
        with self._mailboxes.open() as (id, mailbox):
            self._steps.echo(id)
            if problem := (await mailbox.get()).problem:
                raise problem

    def close(self) -> None:
        """End the threads; jobs that are left fail with `shutting_down`.

        Blocks for the rest of a step and of a load: call it beside the event loop.
        """
        self._steps.stop()
        self._steps.join()
        self._residents.close()

    # --- models ---------------------------------------------------------------------------------

    def using(self, ref: ModelRef) -> AbstractAsyncContextManager[Model]:
        """The model, which stays in memory while the context lasts; raises Problem as `load`."""
        return self._residents.using(ref)

    async def load(self, ref: ModelRef) -> Model:
        return await self._residents.load(ref)

    async def unload(self, name: str) -> None:
        await self._residents.unload(twin_name(name))
        await self._residents.unload(name)

    # --- work -----------------------------------------------------------------------------------

    def generate(
        self, model: Model, generation: Generation
    ) -> AsyncGenerator[Token | Finished, None]:
        if not generation.prompt or generation.max_tokens < 1:
            raise ValueError("a generation has a prompt, and at least one token to generate")
        return self._run(model, _GENERATE, generation, generation.tenant, generation.deadline)

    async def score(
        self,
        model: Model,
        prefix: Sequence[int],
        continuations: Sequence[Sequence[int]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> list[list[float]]:
        if not prefix:
            raise ValueError("the first token of a continuation follows a prefix")
        work = Scoring(tuple(prefix), tuple(map(tuple, continuations)))
        scores: list[list[float]] = await self._ask(model, _SCORE, work, tenant, deadline)
        return scores

    async def embed(
        self,
        model: Model,
        sequences: Sequence[Sequence[int]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Floats:
        work = Encoding(tuple((tuple(ids), None) for ids in sequences), head=False)
        vectors: Floats = await self._ask(model, _EMBED, work, tenant, deadline)
        return vectors

    async def classify(
        self,
        model: Model,
        sequences: Sequence[tuple[Sequence[int], Sequence[int] | None]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Floats:
        pairs = ((tuple(ids), None if types is None else tuple(types)) for ids, types in sequences)
        work = Encoding(tuple(pairs), head=True)
        logits: Floats = await self._ask(model, _CLASSIFY, work, tenant, deadline)
        return logits

    async def attribute(
        self,
        model: Model,
        attribution: Attribution,
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Attributed:
        found: Attributed = await self._trace(model, attribution, tenant, deadline)
        return found

    async def attention(
        self,
        model: Model,
        ids: Sequence[int],
        types: Sequence[int] | None,
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Floats:
        work = Attention(tuple(ids), None if types is None else tuple(types))
        weights: Floats = await self._trace(model, work, tenant, deadline)
        return weights

    async def _trace(
        self, model: Model, work: Attribution | Attention, tenant: str, deadline: float | None
    ) -> Any:
        """The one item of a job for the model's twin, which is loaded where it is not there."""
        if model.ref.kind not in _TRACE:
            raise Problem(
                "model_cannot_do_task",
                f"{model.ref.name!r} is of the kind {model.ref.kind}; gradients and attention are "
                f"of {' and '.join(_TRACE)} models",
            )
        async with self._residents.using(twin_of(model.ref)) as twin:
            return await self._ask(twin, _TRACE, work, tenant, deadline)

    async def _ask(
        self, model: Model, kinds: _Kinds, work: Any, tenant: str, deadline: float | None
    ) -> Any:
        """The one item of a job that has one."""
        items = [item async for item in self._run(model, kinds, work, tenant, deadline)]
        return items[0]

    async def _run(
        self, model: Model, kinds: _Kinds, work: Any, tenant: str, deadline: float | None
    ) -> AsyncGenerator[Any, None]:
        """Submit a job and yield its items; leaving early aborts it."""
        with (
            self._residents.job(model, kinds) as key,
            self._mailboxes.open() as (id, mailbox),
            timed(work, submitted := time.monotonic()) as timeline,
        ):
            job = Job(id, work, submitted, tenant, deadline, current(), timeline)
            self._steps.submit(key, job)
            try:
                done = False
                while not done:
                    output = await mailbox.get()
                    if timeline is not None:
                        timeline.hear(output.items)
                    for item in output.items:
                        yield item
                    if output.problem is not None:
                        raise output.problem
                    done = output.done
            finally:
                self._steps.abort(id)
