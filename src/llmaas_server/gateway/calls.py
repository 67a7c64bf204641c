"""The one way of every call: choose a model, hold a place, measure, run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence, Set
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Protocol

from llmaas_client.wire.base import TaskRequest
from llmaas_server.errors import Problem
from llmaas_server.models.inspect import tasks_of
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.seam.backend import Backend
from llmaas_server.seam.values import Accepted, Call, Event, ModelChoice, ModelRef, Result

from .choice import NAMED, Candidate, Defaults, choose
from .gate import Gate
from .leases import Lease
from .principals import Principal


class Models(Protocol):
    """What calls need of the model store."""

    def ref(self, name: str) -> ModelRef:
        """Raises Problem `model_not_found`, `model_not_pulled`."""

    def installed(self) -> Iterable[InstalledModel]: ...


Holding = Callable[[Principal], AbstractAsyncContextManager[Lease]]
"""Around the work for a caller: stops it when their key ends; see `KeyRing.holding`."""


class Calls:
    """Makes calls out of requests, and runs them under the gate."""

    def __init__(
        self, defaults: Defaults, models: Models, backend: Backend, gate: Gate, holding: Holding
    ) -> None:
        self.holding = holding
        self._defaults = defaults
        self._models = models
        self._backend = backend
        self._gate = gate

    async def prepare(
        self,
        call_id: str,
        principal: Principal,
        task: str,
        request: TaskRequest,
        *,
        deadline_ms: float | None = None,
    ) -> Call:
        """The call for a request.

        Raises Problem `model_not_found`, `model_not_pulled`, `model_cannot_do_task`,
        `not_allowed` where the key may not use the model.
        """
        resident = {one.name for one in self._backend.status().models if one.state == "resident"}
        # Looks at files.
        model, choice = await asyncio.to_thread(self._choose, task, request, resident, principal)
        able = tasks_of(model.kind, model.sentence_embeddings)
        if task not in able:
            raise _cannot(model, task, able)
        return Call(
            id=call_id,
            task=task,
            model=model,
            request=request.model_dump(exclude_unset=True),
            stream=bool(getattr(request, "stream", False)),
            deadline_ms=deadline_ms,
            tenant=principal.tenant,
            choice=choice,
        )

    def _choose(
        self, task: str, request: TaskRequest, resident: Set[str], principal: Principal
    ) -> tuple[ModelRef, ModelChoice]:
        if request.model is not None:
            model = self._models.ref(request.model)
            principal.check_model(model.name)
            return model, NAMED
        installed = [
            Candidate(one.name, one.kind, one.tasks, one.context, one.bytes, one.name in resident)
            for one in self._models.installed()
        ]
        default = self._defaults.model_for(task, request)
        name, choice = choose(task, request, default, installed, principal.models)
        principal.check_model(name)
        return self._models.ref(name), choice

    @asynccontextmanager
    async def running(self, call: Call) -> AsyncIterator[tuple[Accepted, AsyncGenerator[Event]]]:
        """A call that the backend has accepted, and what comes after that; leaving stops it.

        Raises Problem.
        """
        with self._gate.admit():
            try:
                await self._backend.measure(call)
            except asyncio.CancelledError:
                await self._backend.release(call.id)
                raise
            async with aclosing(self._backend.run(call.id)) as events:
                first = await anext(events)
                if not isinstance(first, Accepted):
                    raise TypeError(f"a backend began with {type(first).__name__}")
                yield first, events


async def result_of(events: AsyncGenerator[Event]) -> Result:
    """The end of a running call, for those who do not need what comes before it."""
    async for event in events:
        if isinstance(event, Result):
            return event
    raise RuntimeError("a backend ended without a result")


def _cannot(model: ModelRef, task: str, able: Sequence[str]) -> Problem:
    return Problem(
        "model_cannot_do_task",
        f"{model.name!r} is a model of kind {model.kind}: it can {', '.join(able)}, not {task}",
        param="model",
    )
