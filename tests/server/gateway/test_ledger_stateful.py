"""Calls, ends, kills, budgets and days in any order: no budget is overspent, nothing is counted
twice, and what is kept of the budgets is what the ledger says.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llmaas_server.errors import Problem
from llmaas_server.gateway.ledger import Charge
from llmaas_server.seam.values import Measurement, Usage
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.usage import DAY, UsageFilter
from llmaas_server.storage.values import Owner, Payer, Period
from support.accounting import Books, check_counters

PAYERS = [Payer("acc_1", "app_1", "key_1"), Payer("acc_1", "app_2", "key_2")]
OWNERS = sorted({owner for payer in PAYERS for owner in payer.owners}, key=str)

Running = tuple[AbstractAsyncContextManager[Charge], Charge]


class Bookkeeping(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.books = Books(self.open())
        self.loop.run_until_complete(self.books.set_price())
        self.running: list[Running] = []
        self.number = 0
        self.answered = 0
        """The sum of all costs that callers were told."""

    def open(self) -> Database:
        return Database.open(f"sqlite:///{Path(self.folder.name) / 'test.db'}")

    @rule(payer=st.sampled_from(PAYERS), prompt=st.integers(0, 40), most=st.integers(0, 60))
    def begin(self, payer: Payer, prompt: int, most: int) -> None:
        self.number += 1
        context = self.books.charged(Measurement(prompt, most), payer, f"call_{self.number}")
        try:
            charge = self.loop.run_until_complete(context.__aenter__())
        except Problem:
            return
        charge.accepted = True
        charge.usage = Usage(prompt, 0, most)
        self.running.append((context, charge))

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0, 9), share=st.integers(0, 4))
    def complete(self, index: int, share: int) -> None:
        context, charge = self.running.pop(index % len(self.running))
        prompt, most = charge.usage.prompt_tokens, charge.usage.completion_tokens
        charge.usage = Usage(prompt, 0, most * share // 4)
        row = self.loop.run_until_complete(charge.settle(charge.bill()))
        self.loop.run_until_complete(context.__aexit__(None, None, None))
        self.answered += row.cost

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0, 9), code=st.sampled_from(["cancelled", "worker_lost"]))
    def fail(self, index: int, code: str) -> None:
        context, charge = self.running.pop(index % len(self.running))
        error = Problem(code)  # type: ignore[arg-type]
        self.answered += charge.bill("aborted").cost if code == "cancelled" else 0
        self.loop.run_until_complete(context.__aexit__(type(error), error, None))

    @rule()
    def kill(self) -> None:
        self.running.clear()
        clock = self.books.clock
        self.books.database.close()
        self.books = Books(self.open(), clock)
        self.loop.run_until_complete(self.books.prices.load())
        self.loop.run_until_complete(self.books.ledger.recover())

    @rule(
        owner=st.sampled_from(OWNERS),
        period=st.sampled_from(["day", "month", "total"]),
        amount=st.integers(0, 500),
    )
    def set_budget(self, owner: Owner, period: Period, amount: int) -> None:
        self.loop.run_until_complete(self.books.budgets.set(owner, period, amount))

    @rule(share=st.integers(1, 40))
    def wait(self, share: int) -> None:
        self.books.clock.advance(DAY * share // 10)

    @invariant()
    def counters_are_what_the_ledger_says(self) -> None:
        self.books.database.look(check_counters)

    @invariant()
    def what_was_told_is_what_was_charged(self) -> None:
        (total,) = self.books.database.look(lambda tables: tables.usage.report(UsageFilter()))
        assert total.cost == self.answered

    @invariant()
    def no_call_is_both_open_and_settled(self) -> None:
        def check(tables: Tables) -> None:
            intents = tables.intents.all()
            assert {intent.id for intent in intents} == {c.call_id for _, c in self.running}
            assert all(tables.ledger.get(intent.id) is None for intent in intents)

        self.books.database.look(check)

    def teardown(self) -> None:
        self.kill()
        self.books.database.close()
        self.loop.close()
        self.folder.cleanup()


class Spending(Bookkeeping):
    """The same with a budget that stays: it is never exceeded."""

    AMOUNT = 250

    def __init__(self) -> None:
        super().__init__()
        owner = Owner("account", "acc_1")
        self.loop.run_until_complete(self.books.budgets.set(owner, "total", self.AMOUNT))

    def set_budget(self) -> None:
        """Not in this one."""

    @invariant()
    def the_budget_is_never_exceeded(self) -> None:
        (budget,) = self.loop.run_until_complete(
            self.books.budgets.standing([Owner("account", "acc_1")])
        )
        assert budget.spent + budget.reserved <= self.AMOUNT
        assert budget.spent == self.answered


TestBookkeeping = Bookkeeping.TestCase
TestBookkeeping.settings = settings(max_examples=8, stateful_step_count=20)
TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=8, stateful_step_count=20)
