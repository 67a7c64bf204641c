"""The ledger: every call that is admitted is settled exactly once.

A call's life: `charged` commits an intent, with the worst case of its cost reserved, before any
work is done. `settle` commits what it used, and its cost, before the last byte of the answer
leaves. The policy:

| how a call ended | outcome | what it costs |
|---|---|---|
| with its result | completed | what it used |
| its caller went away, or its deadline came | aborted | prompt, and what was generated so far |
| the server, the worker or the model failed, or the server was killed | failed | nothing |
| the worker did not accept it | rejected | nothing |

Calls refused before that, by a limit or a budget, leave no row. Where nothing is due, the ledger
counts no tokens either.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from llmaas_server.errors import Problem
from llmaas_server.seam.values import Call, Measurement, Times, Usage
from llmaas_server.storage.database import Database
from llmaas_server.storage.ledger import IntentRow, LedgerRow
from llmaas_server.storage.prices import PriceRow
from llmaas_server.storage.tables import Tables, Unit, nothing
from llmaas_server.storage.usage import Dimension, UsageFilter, UsageRow
from llmaas_server.storage.values import Outcome, Payer

from . import budget
from .clock import Clock
from .prices import Prices, cost, quote

SERVER_LOST = "server_lost"
"""The code of calls that ran when the server was killed."""

_ENDED_BY_THE_CALLER = frozenset({"cancelled", "deadline_exceeded"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bill:
    """How a call ended, and what that costs."""

    outcome: Outcome
    code: str | None
    """Of the error that ended it, where one did."""
    usage: Usage
    times: Times
    cost: int


def outcome_of(error: BaseException | None, *, accepted: bool) -> tuple[Outcome, str | None]:
    """The policy, for calls that did not complete; without an error the caller left."""
    code = _code_of(error)
    if not accepted:
        return "rejected", code
    return ("aborted" if code in _ENDED_BY_THE_CALLER else "failed"), code


def _code_of(error: BaseException | None) -> str:
    if isinstance(error, Problem):
        return error.code
    left = error is None or isinstance(error, asyncio.CancelledError | GeneratorExit)
    return "cancelled" if left else "internal_error"


class Charge:
    """One admitted call. Who runs it says how far it is, and settles it with its result."""

    def __init__(self, ledger: Ledger, call_id: str, price: PriceRow | None, reserved: int) -> None:
        self._ledger = ledger
        self._price = price
        self.call_id = call_id
        self.reserved = reserved
        self.accepted = False
        """Set by who runs the call, when the worker has taken it."""
        self.usage = Usage()
        """What was used so far; set by who runs the call."""
        self.times = Times()
        self.settled = False

    @property
    def is_priced(self) -> bool:
        """Whether there is a price: without one a call costs nothing, and its cost is unknown."""
        return self._price is not None

    def bill(self, outcome: Outcome = "completed", code: str | None = None) -> Bill:
        """What the call would cost if it ended now; changes nothing."""
        if outcome in ("failed", "rejected"):
            return Bill(outcome, code, Usage(), Times(), 0)
        due = 0 if self._price is None else cost(self._price, self.usage, self.times)
        return Bill(outcome, code, self.usage, self.times, min(due, self.reserved))

    async def settle(self, bill: Bill, *, also: Unit[None] = nothing) -> LedgerRow:
        """Commit the bill; `also` is done in the same transaction.

        Returns the row that stands: a second settlement changes nothing, nor does its `also`.
        Raises Problem `storage_unavailable`; then the answer must not leave.
        """
        row = await self._ledger.settle(self.call_id, bill, also)
        if not self.settled:
            self._ledger.count(row)
        self.settled = True
        return row


class Ledger:
    """Admits and settles calls; reports what was used."""

    def __init__(self, database: Database, prices: Prices, clock: Clock) -> None:
        self._database = database
        self._prices = prices
        self._clock = clock
        self._owed: dict[str, Bill] = {}
        """Bills that could not be committed; nothing of them was sent."""
        self.spent: Counter[tuple[str, str]] = Counter()
        """What was billed since the server started, by task and model."""

    @asynccontextmanager
    async def charged(
        self, call_id: str, payer: Payer, task: str, model: str, measurement: Measurement
    ) -> AsyncIterator[Charge]:
        """Admit a call and hold its reservation; what is not settled inside is settled here.

        Raises Problem `budget_exceeded`, `storage_unavailable`: then nothing was admitted.
        """
        charge = await self._admit(call_id, payer, task, model, measurement)
        error: BaseException | None = None
        try:
            yield charge
        except BaseException as raised:
            error = raised
            raise
        finally:
            if not charge.settled:
                await self._close(charge, error)

    def quote(self, call: Call, measurement: Measurement) -> int | None:
        """What would be reserved for the call now; None where no price is set."""
        price = self._prices.now(call.model.name, call.task)
        return None if price is None else quote(price, measurement)

    async def settle(self, call_id: str, bill: Bill, also: Unit[None] = nothing) -> LedgerRow:
        """See `Charge.settle`."""
        return await self._database.write(self._settlement(call_id, bill, also))

    def count(self, row: LedgerRow) -> None:
        """A call is settled: once for each."""
        self.spent[row.task, row.model] += row.cost

    async def settle_owed(self) -> int:
        """Try again what could not be committed; how many bills are still owed.

        For every minute or so: until then their reservations stand.
        """
        for call_id, bill in list(self._owed.items()):
            try:
                self.count(await self.settle(call_id, bill))
            except Problem:
                break
            self._owed.pop(call_id, None)
        return len(self._owed)

    async def recover(self) -> int:
        """Settle the calls that ran when the server ended, as failed; how many those were.

        Once, at the start, before the first call is admitted.
        """

        def unit(tables: Tables) -> int:
            left = tables.intents.all()
            for intent in left:
                self._settlement(intent.id, _lost())(tables)
            return len(left)

        return await self._database.write(unit)

    async def usage(self, which: UsageFilter, by: Sequence[Dimension] = ()) -> list[UsageRow]:
        """Sums over the ledger; see `storage.usage`. Calls that run are not in it."""
        return await self._database.read(lambda tables: tables.usage.report(which, by))

    async def _admit(
        self, call_id: str, payer: Payer, task: str, model: str, measurement: Measurement
    ) -> Charge:
        price = self._prices.now(model, task)
        reserved = 0 if price is None else quote(price, measurement)

        def unit(tables: Tables) -> None:
            # The moment is taken here, in the order of commits.
            now = self._clock()
            budget.reserve(tables, payer, reserved, now)
            tables.intents.add(
                IntentRow(
                    id=call_id,
                    account_id=payer.account_id,
                    application_id=payer.application_id,
                    key_id=payer.key_id,
                    task=task,
                    model=model,
                    price_id=None if price is None else price.id,
                    prompt_tokens=measurement.prompt_tokens,
                    max_completion_tokens=measurement.max_completion_tokens,
                    reserved=reserved,
                    admitted_at=now,
                )
            )

        charge = Charge(self, call_id, price, reserved)
        try:
            await self._database.write(unit)
        except asyncio.CancelledError as error:
            # The intent may be committed all the same. This comes after it, so nothing stays open.
            outcome, code = outcome_of(error, accepted=False)
            self._database.submit(self._forgiven(call_id, charge.bill(outcome, code)))
            raise
        return charge

    async def _close(self, charge: Charge, error: BaseException | None) -> None:
        outcome, code = outcome_of(error, accepted=charge.accepted)
        bill = charge.bill(outcome, code)
        try:
            await charge.settle(bill)
        except Problem as problem:
            log.error("call %s is not settled yet: %s", charge.call_id, problem.message)
            self._owed[charge.call_id] = bill

    def _settlement(self, call_id: str, bill: Bill, also: Unit[None] = nothing) -> Unit[LedgerRow]:
        def unit(tables: Tables) -> LedgerRow:
            intent = tables.intents.take(call_id)
            if intent is None:
                return _settled_before(tables, call_id)
            row = _row(intent, bill, self._clock())
            tables.ledger.add(row)
            budget.settle(tables, intent.payer, intent.admitted_at, intent.reserved, row.cost)
            also(tables)
            return row

        return unit

    def _forgiven(self, call_id: str, bill: Bill) -> Unit[None]:
        """A settlement that does nothing where there is no intent."""

        def unit(tables: Tables) -> None:
            if tables.intents.get(call_id) is not None:
                self._settlement(call_id, bill)(tables)

        return unit


def _lost() -> Bill:
    return Bill("failed", SERVER_LOST, Usage(), Times(), cost=0)


def _settled_before(tables: Tables, call_id: str) -> LedgerRow:
    row = tables.ledger.get(call_id)
    if row is None:
        raise LookupError(f"call {call_id} was never admitted")
    return row


def _row(intent: IntentRow, bill: Bill, now: int) -> LedgerRow:
    return LedgerRow(
        id=intent.id,
        account_id=intent.account_id,
        application_id=intent.application_id,
        key_id=intent.key_id,
        task=intent.task,
        model=intent.model,
        price_id=intent.price_id,
        outcome=bill.outcome,
        code=bill.code,
        prompt_tokens=bill.usage.prompt_tokens,
        cached_tokens=bill.usage.cached_tokens,
        completion_tokens=bill.usage.completion_tokens,
        cpu_us=bill.times.cpu_us,
        gpu_us=bill.times.gpu_us,
        reserved=intent.reserved,
        cost=bill.cost,
        admitted_at=intent.admitted_at,
        settled_at=now,
    )
