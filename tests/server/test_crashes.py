"""kill -9 under load: what was acknowledged is there, once, and no budget is overspent.

A client has an answer when it has read its last byte. All that was answered before a kill must be
in the ledger, at the cost that the answer told, or in the audit trail, after the next start.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmaas_client.wire import TASKS
from llmaas_client.wire.sse import Decoder
from llmaas_server.models.store import Store
from support import tiny
from support.forks import Fork, Forks, forking

KILLS = 50
CALLERS = 12
PATH = TASKS["chat"].path
NANO = Decimal(10**9)
OK = httpx.codes.OK


@dataclass
class Acknowledged:
    """What clients were told, over all lives of the server."""

    costs: dict[str, Decimal] = field(default_factory=dict)
    """Of calls, by id."""
    made: set[str] = field(default_factory=set)
    """Applications."""
    closed: set[str] = field(default_factory=set)
    refused: int = 0


@dataclass
class Load:
    """Callers that ask one thing after another until the server is gone."""

    server: Fork
    chance: random.Random
    known: Acknowledged
    model: str | None = None

    async def until(self, seconds: float) -> None:
        """Run, and kill the server after so long."""
        credentials = self.server.credentials
        async with (
            self._client(credentials.inference_key) as http,
            self._client(str(credentials.management_key)) as manage,
        ):
            workers = [asyncio.ensure_future(self._call(http)) for _ in range(CALLERS)]
            workers += [asyncio.ensure_future(self._manage(manage)) for _ in range(2)]
            await asyncio.sleep(seconds)
            await asyncio.to_thread(self.server.kill)
            await asyncio.wait_for(asyncio.gather(*workers), 30)

    def _client(self, key: str) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=30)

    async def _call(self, http: httpx.AsyncClient) -> None:
        with suppress(httpx.TransportError):
            while True:
                await self._ask(http, stream=self.chance.random() < 0.5)

    async def _ask(self, http: httpx.AsyncClient, *, stream: bool) -> None:
        words = " ".join(["word"] * self.chance.randint(1, 20))
        body: dict[str, Any] = {
            "messages": [{"role": "user", "content": words}],
            "max_tokens": 20,
            "stream": stream,
        }
        if self.model is not None:
            body["model"] = self.model
        response = await http.post(PATH, json=body)
        if response.status_code != OK:
            assert response.json()["error"]["code"] == "budget_exceeded", response.text
            self.known.refused += 1
            return
        content = response.content
        if stream:
            *_, last = Decoder().feed(content)
            if last.event != "done":
                return
            content = last.data.encode()
        result = json.loads(content)
        self.known.costs[result["id"]] = Decimal(result["cost"])

    async def _manage(self, manage: httpx.AsyncClient) -> None:
        with suppress(httpx.TransportError):
            while True:
                response = await manage.post("/v1/applications", json={"name": "made under load"})
                assert response.status_code == OK, response.text
                id = response.json()["id"]
                self.known.made.add(id)
                response = await manage.delete(f"/v1/applications/{id}")
                assert response.status_code == OK, response.text
                self.known.closed.add(id)


@dataclass(frozen=True)
class Books:
    """The database as it is on the disk, read beside the server."""

    path: Path

    def _all(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def spent(self) -> Decimal:
        return sum(
            (Decimal(cost) / NANO for (cost,) in self._all("SELECT cost FROM ledger")), Decimal()
        )

    def check(self, known: Acknowledged, budget: Decimal) -> None:
        """After a start: nothing runs yet, and all that was acknowledged is there once."""
        assert self._all("SELECT id FROM intents") == []
        rows = self._all("SELECT id, outcome, cost FROM ledger")
        bills = {id: (outcome, Decimal(cost) / NANO) for id, outcome, cost in rows}
        assert len(bills) == len(rows)
        assert {id: bills.get(id) for id in known.costs} == {
            id: ("completed", cost) for id, cost in known.costs.items()
        }
        spent = sum(cost for _, cost in bills.values())
        assert spent <= budget
        assert self._all("SELECT spent, reserved FROM budget_windows") == [(spent * NANO, 0)]
        made = self._targets("applications.create")
        closed = self._targets("applications.close")
        assert made.keys() >= known.made
        assert closed.keys() >= known.closed
        assert set(made.values()) | set(closed.values()) == {1}
        # A change and its row are one.
        rows = self._all("SELECT id, status FROM applications")
        assert {id for id, _ in rows} == made.keys()
        assert {id for id, status in rows if status == "closed"} == closed.keys()

    def _targets(self, action: str) -> Counter[str]:
        """How often the audit trail has the action, by what was changed."""
        rows = self._all(f"SELECT target FROM audit WHERE action = '{action}'")
        return Counter(target for (target,) in rows)


@contextmanager
def managing(server: Fork) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {server.credentials.management_key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        yield client


def set_price(server: Fork) -> None:
    with managing(server) as client:
        price = {"prompt": "1", "completion": "2"}
        assert client.post("/v1/prices", json=price).status_code == OK


def set_budget(server: Fork, amount: Decimal) -> None:
    """Of the inference key."""
    with managing(server) as client:
        keys = client.get("/v1/keys").json()["keys"]
        id = next(key["id"] for key in keys if key["kind"] == "inference")
        budget = {"period": "total", "amount": str(amount)}
        response = client.patch(f"/v1/keys/{id}", json={"budget": budget})
        assert response.status_code == OK, response.text


def verify(server: Fork) -> None:
    """The audit trail is whole, over all the crashes."""
    with managing(server) as client:
        report = client.get("/v1/audit/verification").json()
    assert report["whole"], report


async def crash(
    forks: Forks, kills: int, seconds: tuple[float, float], step: Decimal, model: str | None = None
) -> Acknowledged:
    """Kill the server at random points, again and again, and check after each start."""
    # `step` is what each life of the server may spend.
    chance = random.Random(7)
    known = Acknowledged()
    books = Books(forks.home / "llmaas.db")
    server = await asyncio.to_thread(forks.start)
    await asyncio.to_thread(set_price, server)
    for _ in range(kills):
        budget = books.spent() + step
        await asyncio.to_thread(set_budget, server, budget)
        await Load(server, chance, known, model).until(chance.uniform(*seconds))
        server = await asyncio.to_thread(forks.start)
        books.check(known, budget)
    await asyncio.to_thread(verify, server)
    return known


@pytest.mark.timeout(300)
async def test_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    with forking(tmp_path, backend="fake") as forks:
        # Enough for some calls each time, and not for those of all callers at once.
        known = await crash(forks, KILLS, (0.0, 0.4), Decimal("0.0004"))
    assert len(known.costs) > KILLS
    assert known.refused
    assert known.closed


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The name of a small model in the store."""
    folder = tmp_path / "model"
    tiny.llama(folder)
    return Store(tmp_path / "cache").import_file(folder, "tiny").name


@pytest.mark.timeout(300)
async def test_nor_where_a_worker_computes(tmp_path: Path, store: str) -> None:
    with forking(tmp_path, backend="worker", device="cpu", quantization="none") as forks:
        known = await crash(forks, 3, (3.0, 6.0), Decimal("0.1"), model=store)
    assert known.costs
