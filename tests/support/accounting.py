"""The services that count money, over a database, with a clock that the test moves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from llmaas_server.gateway.budget import Budgets, window_of
from llmaas_server.gateway.idempotency import Unkept
from llmaas_server.gateway.ledger import Charge, Ledger
from llmaas_server.gateway.limiter import Limiter
from llmaas_server.gateway.metering import Metering
from llmaas_server.gateway.prices import Prices, Rates
from llmaas_server.seam.values import Measurement, Usage
from llmaas_server.storage.database import Database
from llmaas_server.storage.ledger import LedgerRow
from llmaas_server.storage.tables import Tables, Unit
from llmaas_server.storage.values import Payer
from support.clocks import ManualClock
from support.databases import PAYER

PER_TOKEN = 1_000_000
"""A price of one nano-unit for each token."""

MEASURED = Measurement(prompt_tokens=10, max_completion_tokens=90)
"""At most 100 nano-units."""


class NoRecords:
    async def keeping(
        self, call_id: str, payer: Payer, task: str, model: str, request: bytes, answer: bytes
    ) -> Unit[None]:
        raise AssertionError("no application here wants its calls kept")


@dataclass
class Books:
    database: Database
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.prices = Prices(self.database, self.clock)
        self.budgets = Budgets(self.database, self.clock)
        self.ledger = Ledger(self.database, self.prices, self.clock)
        self.limiter = Limiter(self.clock)
        self.metering = Metering(self.limiter, self.ledger, Unkept(), NoRecords())
        self._ids: Iterator[int] = itertools.count(1)

    async def set_price(self) -> None:
        """One nano-unit for each token, cached or not."""
        await self.prices.set(Rates(prompt=PER_TOKEN, cached=PER_TOKEN, completion=PER_TOKEN))

    def charged(
        self, measured: Measurement = MEASURED, payer: Payer = PAYER, call_id: str | None = None
    ) -> AbstractAsyncContextManager[Charge]:
        name = call_id or f"call_{next(self._ids)}"
        return self.ledger.charged(name, payer, "chat", "m", measured)

    async def call(
        self, completion_tokens: int = 90, measured: Measurement = MEASURED, payer: Payer = PAYER
    ) -> LedgerRow:
        """A call that ends well."""
        async with self.charged(measured, payer) as charge:
            charge.accepted = True
            charge.usage = Usage(measured.prompt_tokens, 0, completion_tokens)
            return await charge.settle(charge.bill())


def check_counters(tables: Tables) -> None:
    """What is kept of each budget is what ledger and intents say."""
    for budget in tables.budgets.all():
        for kept in tables.budget_windows.of(budget.owner):
            ends_at = window_of(budget.period, kept.starts_at).ends_at
            assert kept == tables.budget_windows.recount(budget.owner, kept.starts_at, ends_at)
