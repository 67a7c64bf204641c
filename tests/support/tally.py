"""A program for tests: calls are charged to a database, many at once, until it is killed.

It says a line for each intent and each settlement that is acknowledged: `open ID`,
`done ID COST`. Run with the URL of a database and a prefix for the ids of its calls.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from llmaas_server.gateway.budget import Budgets
from llmaas_server.gateway.clock import wall
from llmaas_server.gateway.ledger import Ledger
from llmaas_server.gateway.prices import Prices, Rates
from llmaas_server.seam.values import Measurement, Usage
from llmaas_server.storage.audit import AuditRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.values import Owner, Payer

CLIENTS = 8
PER_TOKEN = 1_000_000
OWNER = Owner("account", "acc_1")


def say(*words: object) -> None:
    """One write, so that a line is whole or not there."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def audit(tables: Tables) -> int:
    """The next row of the trail."""
    head = tables.audit.head()
    seq = 1 if head is None else head.seq + 1
    previous = b"" if head is None else head.hash
    tables.audit.add(
        AuditRow(
            seq, wall(), None, "test", "tally", "count", str(seq), "done", None, None, previous,
            b"%d" % seq,
        )
    )  # fmt: skip
    return seq


async def main(url: str, prefix: str) -> None:
    database = await asyncio.to_thread(Database.open, url)
    prices, budgets = Prices(database, wall), Budgets(database, wall)
    ledger = Ledger(database, prices, wall)
    await prices.load()
    if not prices.rows:
        await prices.set(Rates(prompt=PER_TOKEN, completion=PER_TOKEN))
        await budgets.set(OWNER, "total", 10**12)
    say("recovered", await ledger.recover())
    numbers = itertools.count()

    async def client(name: int) -> None:
        payer = Payer(OWNER.id, "app_1", f"key_{name}")
        while True:
            number = next(numbers)
            call_id = f"{prefix}-{number}"
            async with ledger.charged(call_id, payer, "chat", "m", Measurement(5, 20)) as charge:
                say("open", call_id)
                charge.accepted = True
                charge.usage = Usage(5, 0, number % 21)
                row = await charge.settle(charge.bill())
                say("done", call_id, row.cost)
            say("audit", await database.write(audit))

    await asyncio.gather(*(client(name) for name in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
