"""What a call is charged, and when: before the last of its answer leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import msgspec

from llmaas_server.seam.values import Accepted, Call, Event, Measurement, Result
from llmaas_server.storage.tables import Tables, Unit
from llmaas_server.storage.values import Payer

from . import genai
from .idempotency import Answers, Keeper
from .ledger import Charge, Ledger
from .limiter import Limiter, Ticket
from .money import to_text
from .principals import Principal
from .tracing import Trace


class Keeping(Protocol):
    """Keeps what was asked and answered, where an application wants it."""

    async def keeping(
        self, call_id: str, payer: Payer, task: str, model: str, request: bytes, answer: bytes
    ) -> Unit[None]:
        """A unit of work for the transaction that bills the call."""


@dataclass(frozen=True, slots=True)
class Metering:
    """The services that every call passes."""

    limiter: Limiter
    ledger: Ledger
    answers: Answers
    records: Keeping

    @asynccontextmanager
    async def charged(
        self, call: Call, principal: Principal, measurement: Measurement, ticket: Ticket
    ) -> AsyncIterator[Charge]:
        """A measured call whose worst case is reserved. Raises Problem."""
        ticket.reserve(measurement.prompt_tokens + measurement.max_completion_tokens)
        async with self.ledger.charged(
            call.id, principal.payer, call.task, call.model.name, measurement
        ) as charge:
            yield charge


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a call would cost."""

    call: Call
    measurement: Measurement
    cost: int | None
    """At most; None where no price is set."""


@dataclass(frozen=True, slots=True)
class Running:
    """A call that runs: what makers of answers see of it."""

    call: Call
    principal: Principal
    accepted: Accepted
    events: AsyncGenerator[Event]
    """What comes after `accepted`."""
    _charge: Charge
    _keeper: Keeper
    _metering: Metering
    _trace: Trace

    async def result(self) -> Result:
        """For those who do not need what comes before it."""
        async for event in self.events:
            if isinstance(event, Result):
                return event
        raise RuntimeError("a backend ended without a result")

    async def settle(
        self,
        result: Result,
        write: Callable[[str | None], bytes],
        frame: Callable[[bytes], bytes] = bytes,
    ) -> bytes:
        """Bill the call; what comes back is the last piece of its answer, and may leave now.

        `write` makes the answer with its cost in it, and `frame` the piece around that.
        Raises Problem `storage_unavailable`.
        """
        charge, call = self._charge, self.call
        charge.usage, charge.times = result.usage, result.times
        bill = charge.bill()
        answer = write(to_text(bill.cost) if charge.is_priced else None)
        last = frame(answer)
        units = [await self._keeper.keep(call.id, last)]
        if self.principal.retention:
            asked = msgspec.json.encode(call.request)
            payer, model = self.principal.payer, call.model.name
            keeping = self._metering.records.keeping
            units.append(await keeping(call.id, payer, call.task, model, asked, answer))

        def also(tables: Tables) -> None:
            for unit in units:
                unit(tables)

        self._trace.note(genai.of_result(result.body, result.timing))
        with self._trace.part("settle") as part:
            await charge.settle(bill, also=also)
            part.note({genai.COST: to_text(bill.cost)} if charge.is_priced else {})
        return last
