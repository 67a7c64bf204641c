"""kill -9 at random moments: nothing that was acknowledged is lost or there twice."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llmaas_server.gateway.budget import Budgets
from llmaas_server.gateway.clock import wall
from llmaas_server.gateway.ledger import SERVER_LOST, Ledger
from llmaas_server.gateway.prices import Prices
from llmaas_server.storage.database import Database
from llmaas_server.storage.ledger import LedgerRow
from llmaas_server.storage.usage import UsageFilter
from support import tally
from support.accounting import check_counters
from support.databases import new_database

TESTS = Path(__file__).parents[2]


@dataclass
class Acknowledged:
    """What the program said before it was killed."""

    opened: set[str] = field(default_factory=set)
    costs: dict[str, int] = field(default_factory=dict)
    audited: list[int] = field(default_factory=list)

    def hear(self, line: str) -> None:
        match line.split():
            case ["open", call_id]:
                self.opened.add(call_id)
            case ["done", call_id, cost]:
                self.costs[call_id] = int(cost)
            case ["audit", seq]:
                self.audited.append(int(seq))


def run_and_kill(url: str, prefix: str, lines: int, heard: Acknowledged) -> None:
    """Start the program, and kill it when it has said so many lines; what it said after is heard,
    too.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "support.tally", url, prefix],
        cwd=TESTS,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        for number, line in enumerate(program.stdout):
            heard.hear(line)
            if number == lines:
                program.kill()
    assert program.returncode == -9, "it ended by itself"


@pytest.mark.parametrize(("system", "kills"), [("sqlite", 20), ("postgresql", 3)])
async def test_kills(system: str, kills: int, tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)  # shown where the test fails
    chance = random.Random(seed)
    heard = Acknowledged()
    with new_database(system, tmp_path) as url:
        for kill in range(kills):
            run_and_kill(url, f"run{kill}", chance.randrange(150), heard)
        database = Database.open(url)
        ledger = Ledger(database, Prices(database, wall), wall)
        await ledger.recover()
        rows = await database.read(lambda tables: list(tables.ledger.settled_between(0, 2**62)))
        check_calls(rows, heard)
        await database.read(check_counters)
        (total,) = await ledger.usage(UsageFilter())
        (budget,) = await Budgets(database, wall).standing([tally.OWNER])
        assert (budget.spent, budget.reserved) == (total.cost, 0)
        trail = await database.read(lambda tables: tables.audit.after(0, 10**6))
        assert [row.seq for row in trail] == list(range(1, len(trail) + 1))
        assert max(heard.audited, default=0) <= len(trail)
        database.close()


def check_calls(rows: list[LedgerRow], heard: Acknowledged) -> None:
    settled = {row.id: row for row in rows}
    assert Counter(row.id for row in rows).most_common(1)[0][1] == 1
    assert {call: settled[call].cost for call in heard.costs} == heard.costs
    assert heard.opened <= settled.keys()
    for call, row in settled.items():
        if call in heard.costs:
            assert row.outcome == "completed"
        else:  # the kill came before the acknowledgement: either is right
            assert (row.outcome, row.code) in {("completed", None), ("failed", SERVER_LOST)}
    assert heard.costs, "nothing happened"
