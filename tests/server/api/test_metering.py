"""What calls over HTTP are charged; the answers, the ledger and the report agree."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmaas_client import AsyncClient, Client
from llmaas_client.wire import TASKS
from llmaas_client.wire.sse import Decoder
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.errors import Problem
from llmaas_server.seam.values import Call
from llmaas_server.settings import Settings
from support.front import Front, eventually, front
from support.pacing import Turnstile

CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "three little words"}]}
PATH = TASKS["chat"].path
OK = httpx.codes.OK

Served = Callable[..., Front]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Served]:
    """Starts a front; `backend` and options are the test's own."""
    with ExitStack() as stack:

        def start(backend: FakeBackend | None = None, **options: Any) -> Front:
            settings = Settings(home=tmp_path, backend="fake", **options)
            return stack.enter_context(front(settings, backend))

        yield start


def set_price(server: Front, **fields: str) -> None:
    """One unit for a million tokens, where nothing else is asked."""
    price = {"prompt": "1", "completion": "1"} | fields
    assert server.manage.post("/v1/prices", json=price).status_code == OK


def set_key(server: Front, **fields: Any) -> None:
    """Change what the inference key may use."""
    keys = server.manage.get("/v1/keys").json()["keys"]
    key = next(key for key in keys if key["kind"] == "inference")
    assert server.manage.patch(f"/v1/keys/{key['id']}", json=fields).status_code == OK


def usage(server: Front, **query: str) -> dict[str, Any]:
    response = server.manage.get("/v1/usage", params=query)
    assert response.status_code == OK, response.text
    report: dict[str, Any] = response.json()
    return report


def outcomes(server: Front) -> dict[str, Any]:
    return {group["outcome"]: group for group in usage(server, by="outcome")["groups"]}


def done_of(body: bytes) -> dict[str, Any]:
    """The result that a stream ends with."""
    *_, last = Decoder().feed(body)
    assert last.event == "done", last.event
    result: dict[str, Any] = json.loads(last.data)
    return result


@asynccontextmanager
async def beside(server: Front) -> AsyncIterator[httpx.AsyncClient]:
    """A client for many calls at once."""
    async with httpx.AsyncClient(
        base_url=server.url,
        headers={"authorization": f"Bearer {server.key}"},
        timeout=60,
        limits=httpx.Limits(max_connections=None),
    ) as client:
        yield client


def test_a_result_has_its_cost(serve: Served) -> None:
    server = serve()
    assert server.http.post(PATH, json=CHAT).json()["cost"] is None
    set_price(server)
    assert server.http.post(PATH, json=CHAT).json()["cost"] == "0.000006"
    streamed = server.http.post(PATH, json={**CHAT, "stream": True})
    assert done_of(streamed.content)["cost"] == "0.000006"
    assert server.http.post("/predict", json={"text": "good"}).status_code == OK
    total = usage(server)["total"]
    assert (total["calls"], total["completion_tokens"]) == (4, 9)
    told = server.manage.get("/metrics").text.splitlines()
    costs = {line.split()[0]: float(line.split()[1]) for line in told if "_cost_total{" in line}
    assert [cost for name, cost in costs.items() if 'task="chat"' in name] == [0.000012]
    assert sum(costs.values()) == pytest.approx(float(total["cost"]))


def test_a_price_is_asked_before_the_call(serve: Served) -> None:
    server = serve()
    set_price(server, task="chat")
    asked = {**CHAT, "max_tokens": 3}
    quote = server.http.post(f"{PATH}/price", json=asked).json()
    assert (quote["prompt_tokens"], quote["max_completion_tokens"]) == (3, 3)
    assert quote["cost"] == "0.000006" == server.http.post(PATH, json=asked).json()["cost"]
    embedding = {"text": "a b"}
    assert server.http.post("/v1/tasks/embed/price", json=embedding).json()["cost"] is None
    assert usage(server)["total"]["calls"] == 1


async def test_a_budget_for_fifty_serves_fifty(serve: Served) -> None:
    server = serve()
    set_price(server)
    call = {**CHAT, "max_tokens": 3}  # what it costs is what is reserved
    set_key(server, budget={"period": "total", "amount": "0.0003"})
    async with beside(server) as client:
        responses = await asyncio.gather(*(client.post(PATH, json=call) for _ in range(200)))
    served = [one for one in responses if one.status_code == OK]
    refused = [one.json()["error"]["code"] for one in responses if one.status_code != OK]
    assert len(served) == 50
    assert set(refused) == {"budget_exceeded"}
    total = usage(server)["total"]
    assert (total["calls"], total["cost"]) == (50, "0.0003")


def test_a_budget_says_when_it_is_whole_again(serve: Served) -> None:
    server = serve()
    set_price(server)
    set_key(server, budget={"period": "day", "amount": "0.000005"})
    response = server.http.post(PATH, json={**CHAT, "max_tokens": 3})
    assert response.status_code == httpx.codes.PAYMENT_REQUIRED
    assert response.json()["error"]["code"] == "budget_exceeded"
    assert 1 <= int(response.headers["retry-after"]) <= 24 * 3600


def test_a_stream_that_is_cut_is_billed_so_far(serve: Served) -> None:
    turnstile = Turnstile()
    server = serve(FakeBackend(pace=turnstile))
    set_price(server)
    with server.http.stream("POST", PATH, json={**CHAT, "stream": True}) as response:
        chunks = response.iter_raw()
        received = next(chunks)
        eventually(lambda: turnstile.reached, "the first word is due")
        turnstile.let(2)
        while received.count(b"event: delta") < 2:
            received += next(chunks)
    eventually(lambda: bool(usage(server)["total"]["calls"]), "the call is settled")
    [aborted] = outcomes(server).values()
    assert aborted["outcome"] == "aborted"
    assert (aborted["prompt_tokens"], aborted["completion_tokens"]) == (3, 2)
    assert aborted["cost"] == "0.000005"


def test_a_deadline_is_billed_so_far(serve: Served) -> None:
    server = serve(FakeBackend(pace=Turnstile()))
    set_price(server)
    late = server.http.post(PATH, json=CHAT, headers={"llmaas-deadline-ms": "200"})
    assert late.json()["error"]["code"] == "deadline_exceeded"
    assert outcomes(server)["aborted"]["cost"] == "0.000003"


class Failing(FakeBackend):
    """Loses calls in the middle of their answers, now and then."""

    def __init__(self) -> None:
        super().__init__(pace=self._lose)
        self._number = 0

    async def _lose(self, call: Call) -> None:
        await asyncio.sleep(0)
        self._number += 1
        if self._number % 17 == 0:
            raise Problem("worker_lost")


class Mixed:
    """Calls of all kinds; knows what it was told that they cost."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._chance = random.Random(4)
        self.costs: dict[str, Decimal] = {}
        self.left: set[str] = set()
        """Calls whose answers were not read to the end."""

    async def call(self, number: int) -> None:
        words = " ".join(["word"] * self._chance.randint(1, 30))
        chat = {"messages": [{"role": "user", "content": words}]}
        match number % 5:
            case 0:
                await self._ask("/v1/tasks/embed", {"text": words})
            case 1:
                await self._ask("/v1/tasks/classify", {"text": words, "labels": ["a", "b"]})
            case 2:
                await self._ask(PATH, {**chat, "stream": True})
            case 3:
                await self._leave({**chat, "stream": True})
            case _:
                await self._ask(PATH, chat)

    async def _ask(self, path: str, body: dict[str, Any]) -> None:
        response = await self._client.post(path, json=body)
        content = response.content
        if body.get("stream"):
            *_, last = Decoder().feed(content)
            content = last.data.encode()
        if "cost" in (result := json.loads(content)):
            self.costs[result["id"]] = Decimal(result["cost"])

    async def _leave(self, body: dict[str, Any]) -> None:
        async with self._client.stream("POST", PATH, json=body) as response:
            self.left.add(response.headers["x-request-id"])
            await anext(response.aiter_raw())


async def test_answers_ledger_and_report_agree(serve: Served) -> None:
    server = serve(Failing())
    set_price(server, completion="3")
    set_price(server, task="embed", prompt="0.5")
    async with beside(server) as client:
        mixed = Mixed(client)
        await asyncio.gather(*(mixed.call(number) for number in range(150)))
    look = server.services.database.look
    await asyncio.to_thread(
        eventually, lambda: not look(lambda tables: tables.intents.all()), "all is settled"
    )
    account = server.manage.get("/v1/accounts/me").json()["id"]
    rows = look(lambda tables: tables.ledger.of_account(account, None, 1000))
    assert len(rows) == 150
    # What was answered was billed, at the cost that the answer told, and nothing else was.
    cost = {row.id: Decimal(row.cost) / 10**9 for row in rows if row.outcome == "completed"}
    assert mixed.costs == {id: cost[id] for id in mixed.costs}
    assert cost.keys() - mixed.costs.keys() <= mixed.left
    assert {row.id for row in rows if row.outcome == "aborted"} <= mixed.left
    failed = [row for row in rows if row.outcome == "failed"]
    assert failed
    assert {(row.code, row.cost, row.completion_tokens) for row in failed} == {
        ("worker_lost", 0, 0)
    }
    total = Decimal(sum(row.cost for row in rows)) / 10**9
    for by in ("", "task", "model", "key", "day", "task,model,outcome"):
        report = usage(server, by=by)
        assert Decimal(report["total"]["cost"]) == total
        assert sum(Decimal(group["cost"]) for group in report["groups"]) == total
        assert sum(group["calls"] for group in report["groups"]) == len(rows)


def test_limits_are_told_and_held(serve: Served) -> None:
    server = serve()
    assert "ratelimit" not in server.http.post(PATH, json=CHAT).headers
    set_key(server, limits={"requests_per_minute": 2, "tokens_per_minute": 2000})
    first = server.http.post(PATH, json=CHAT)
    assert first.headers["ratelimit-policy"] == '"key-requests";q=2;w=60, "key-tokens";q=2000;w=60'
    # The worst case of the call is taken until it ends: 3 tokens, and 512 for the answer.
    assert first.headers["ratelimit"].startswith('"key-requests";r=1;t=')
    assert server.http.post(PATH, json=CHAT).status_code == OK
    third = server.http.post(PATH, json=CHAT)
    assert third.json()["error"]["code"] == "rate_limited"
    assert 1 <= int(third.headers["retry-after"]) <= 30
    assert third.headers["ratelimit"].startswith('"key-requests";r=0;t=')


def test_more_tokens_than_the_limit_can_never_be_let_in(serve: Served) -> None:
    server = serve()
    set_key(server, limits={"tokens_per_minute": 100})
    error = server.http.post(PATH, json=CHAT).json()["error"]
    assert error["code"] == "invalid_request"
    assert "max_tokens" in error["hint"]
    assert server.http.post(PATH, json={**CHAT, "max_tokens": 5}).status_code == OK


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_sent_again_gets_the_same_answer(serve: Served, stream: bool) -> None:
    server = serve()
    set_price(server)
    headers = {"idempotency-key": "once"}
    body = {**CHAT, "stream": stream}
    first, second = (server.http.post(PATH, json=body, headers=headers) for _ in range(2))
    assert first.status_code == OK
    assert first.content == second.content
    assert first.headers["content-type"] == second.headers["content-type"]
    other = server.http.post(PATH, json={**body, "seed": 1}, headers=headers)
    assert other.json()["error"]["code"] == "conflict"
    assert usage(server)["total"]["cost"] == "0.000006"


async def test_a_request_sent_twice_at_once_runs_once(serve: Served) -> None:
    turnstile = Turnstile()
    backend = FakeBackend(pace=turnstile)
    server = serve(backend)
    headers = {"idempotency-key": "twice"}
    async with beside(server) as client:
        both = [
            asyncio.ensure_future(client.post(PATH, json={**CHAT, "stream": True}, headers=headers))
            for _ in range(2)
        ]
        await asyncio.to_thread(eventually, lambda: turnstile.reached, "the call runs")
        await asyncio.to_thread(
            eventually, lambda: len(server.services.ring.leases) == 2, "both wait"
        )
        turnstile.let(4)
        first, second = await asyncio.gather(*both)
    assert done_of(first.content) == done_of(second.content)
    assert usage(server)["total"]["calls"] == 1


def test_idempotency_can_be_turned_off(serve: Served) -> None:
    server = serve(idempotency_seconds=0)
    headers = {"idempotency-key": "once"}
    ids = {server.http.post(PATH, json=CHAT, headers=headers).json()["id"] for _ in range(2)}
    assert len(ids) == 2
    assert usage(server)["total"]["calls"] == 2


def test_retention_keeps_the_call_with_its_bill(serve: Served) -> None:
    server = serve()
    assert server.http.post(PATH, json=CHAT).status_code == OK
    [application] = server.manage.get("/v1/applications").json()["applications"]
    path = f"/v1/applications/{application['id']}"
    assert server.manage.patch(path, json={"retention": True}).status_code == OK
    kept = server.http.post(PATH, json={**CHAT, "stream": True})
    [record] = server.manage.get("/v1/records").json()["records"]
    assert record["id"] == done_of(kept.content)["id"]


async def test_the_client_asks_for_prices(serve: Served) -> None:
    server = serve()
    set_price(server)
    with Client(server.url, server.key) as http:
        quote = http.price("chat", messages=CHAT["messages"], max_tokens=3)
        assert (quote.cost, quote.prompt_tokens) == ("0.000006", 3)
        with pytest.raises(ValueError, match="there are: classify"):
            http.price("translate", text="a")
    async with AsyncClient(server.url, server.key) as client:
        assert (await client.price("embed", text=["a", "b"])).cost == "0.000002"
