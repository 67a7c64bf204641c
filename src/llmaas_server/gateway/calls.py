"""The one way of every call.

Choose a model, hold a place, measure, reserve, run, bill; then the last of the answer may leave.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence, Set
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
)
from typing import Protocol

from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_server.errors import Problem
from llmaas_server.models.inspect import tasks_of
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.seam.backend import Backend, Tally
from llmaas_server.seam.values import (
    Accepted,
    Attached,
    Call,
    Event,
    Measurement,
    ModelChoice,
    ModelRef,
)

from . import genai
from .choice import NAMED, Candidate, Defaults, choose, needs_embedder
from .gate import Gate
from .idempotency import Keeper
from .leases import Lease
from .ledger import Charge
from .limiter import Ticket
from .metering import Metering, Quoted, Running
from .principals import Principal
from .tracing import UNTRACED, Trace


class Models(Protocol):
    """What calls need of the model store."""

    def ref(self, name: str) -> ModelRef:
        """Raises Problem `model_not_found`, `model_not_pulled`."""

    def installed(self) -> Iterable[InstalledModel]: ...


class Applying(Protocol):
    """What calls need of classifiers made from examples."""

    async def applied(
        self, account_id: str, request: ClassifyRequest, reference: str
    ) -> tuple[ClassifyRequest, Attached]:
        """See `Classifiers.applied`."""


Holding = Callable[[Principal], AbstractAsyncContextManager[Lease]]
"""Around the work for a caller: stops it when their key ends; see `KeyRing.holding`."""


class Calls:
    """Makes calls out of requests, and runs them under the gate."""

    def __init__(
        self,
        defaults: Defaults,
        models: Models,
        backend: Backend,
        gate: Gate,
        holding: Holding,
        metering: Metering,
        classifiers: Applying,
    ) -> None:
        self.holding = holding
        self._defaults = defaults
        self._models = models
        self._backend = backend
        self._gate = gate
        self._metering = metering
        self._classifiers = classifiers

    async def prepare(
        self,
        call_id: str,
        principal: Principal,
        task: str,
        request: TaskRequest,
        *,
        deadline_ms: float | None = None,
        ability: str | None = None,
        traced: bool = False,
    ) -> Call:
        """The call for a request; `ability` is the task that its model must be able to do, where
        that is another one; `traced` where the worker is to tell what it does when.

        Raises Problem `model_not_found`, `model_not_pulled`, `model_cannot_do_task`,
        `not_allowed` where the key may not use the model; the same for the model of sentence
        vectors where the call cannot do without.
        """
        ability, attached = ability or task, None
        if isinstance(request, ClassifyRequest) and request.classifier is not None:
            request, attached = await self._classifiers.applied(
                principal.account_id, request, request.classifier
            )
        resident = {one.name for one in self._backend.status().models if one.state == "resident"}
        # Looks at files.
        model, choice = await asyncio.to_thread(self._choose, ability, request, resident, principal)
        able = tasks_of(model.kind, model.sentence_embeddings)
        if ability not in able:
            raise _cannot(model, ability, able)
        embedder = None
        if (need := needs_embedder(request, model)) != "no":
            embedder = await asyncio.to_thread(
                self._embedder, principal, is_needed=need == "needed"
            )
        return Call(
            id=call_id,
            task=task,
            model=model,
            request=request.model_dump(exclude_unset=True),
            stream=bool(getattr(request, "stream", False)),
            deadline_ms=deadline_ms,
            tenant=principal.tenant,
            choice=choice,
            attached=attached,
            embedder=embedder,
            traced=traced,
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

    def _embedder(self, principal: Principal, *, is_needed: bool) -> ModelRef | None:
        """The default of embed, for a call that takes a second model."""
        name = self._defaults.model_for("embed")
        try:
            principal.check_model(name)
            return self._models.ref(name)
        except Problem:
            if is_needed:
                raise
            return None

    def answer(
        self,
        call: Call,
        principal: Principal,
        request: bytes,
        token: str | None,
        make: Callable[[Running], AsyncGenerator[bytes]],
        trace: Trace = UNTRACED,
    ) -> AsyncGenerator[bytes]:
        """The pieces of the answer, which `make` makes; closing it stops the call.

        The last piece comes after the bill is committed. `request` is all that says what is
        asked, `token` the Idempotency-Key, and `trace` is told what is done. Raises Problem.
        """

        async def pieces(keeper: Keeper) -> AsyncGenerator[bytes]:
            async with (
                self._running(call, principal, keeper, trace) as running,
                aclosing(make(running)) as made,
            ):
                async for piece in made:
                    yield piece

        return self._metering.answers.answer(principal.payer, token, request, pieces)

    async def quote(self, call: Call, principal: Principal) -> Quoted:
        """What the call would cost at most; it is measured, and not run. Raises Problem."""
        with self._metering.limiter.admit(principal.limited), self._gate.admit():
            async with self._measured(call, UNTRACED) as measurement:
                return Quoted(call, measurement, self._metering.ledger.quote(call, measurement))

    @asynccontextmanager
    async def _measured(self, call: Call, trace: Trace) -> AsyncIterator[Measurement]:
        """A measured call, forgotten in the end where it was not run."""
        try:
            with trace.part("measure") as part:
                measurement = await self._backend.measure(call)
                part.add(measurement.spans)
            yield measurement
        finally:
            await self._backend.release(call.id)

    @asynccontextmanager
    async def _running(
        self, call: Call, principal: Principal, keeper: Keeper, trace: Trace
    ) -> AsyncIterator[Running]:
        """A call that the backend has accepted; leaving stops it. Raises Problem."""
        metering = self._metering
        with (
            metering.limiter.admit(principal.limited) as ticket,
            self._gate.admit(),
            trace.part(genai.span_name(call), genai.of_call(call)) as part,
        ):
            async with AsyncExitStack() as stack:
                measurement = await stack.enter_async_context(self._measured(call, part))
                with part.part("reserve"):
                    charge = await stack.enter_async_context(
                        metering.charged(call, principal, measurement, ticket)
                    )
                accepted, events = await stack.enter_async_context(
                    self._accepted(call, charge, ticket, part)
                )
                yield Running(call, principal, accepted, events, charge, keeper, metering, part)

    @asynccontextmanager
    async def _accepted(
        self, call: Call, charge: Charge, ticket: Ticket, trace: Trace
    ) -> AsyncIterator[tuple[Accepted, AsyncGenerator[Event]]]:
        """Run the call. However it ends, the charge and the ticket know what it has used."""
        tally = Tally()
        try:
            async with aclosing(self._backend.run(call.id, tally)) as events:
                first = await anext(events)
                if not isinstance(first, Accepted):
                    raise TypeError(f"a backend began with {type(first).__name__}")
                charge.accepted = True
                trace.note({genai.RESPONSE_MODEL: first.model})
                yield first, events
        finally:
            trace.note(genai.of_usage(tally.usage))
            trace.add(tally.spans)
            charge.usage, charge.times = tally.usage, tally.times
            ticket.used = tally.usage.prompt_tokens + tally.usage.completion_tokens


def _cannot(model: ModelRef, task: str, able: Sequence[str]) -> Problem:
    return Problem(
        "model_cannot_do_task",
        f"{model.name!r} is a model of kind {model.kind}: it can {', '.join(able)}, not {task}",
        param="model",
    )
