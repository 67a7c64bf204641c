"""A call takes its model, its place and its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.chat import ChatRequest
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_client.wire.embed import EmbedRequest
from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.errors import Problem, model_not_found
from llmaas_server.gateway.calls import Calls
from llmaas_server.gateway.choice import Defaults
from llmaas_server.gateway.clock import MINUTE
from llmaas_server.gateway.gate import Gate
from llmaas_server.gateway.metering import Running
from llmaas_server.gateway.principals import Permit, Principal
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.seam.values import Call, Measurement, ModelKind, ModelRef
from llmaas_server.settings import Settings
from llmaas_server.storage.database import Database
from llmaas_server.storage.ledger import LedgerRow
from llmaas_server.storage.values import Limits, Owner
from support.accounting import Books
from support.databases import add_tenant
from support.principals import caller, holding

SETTINGS = Settings(
    classify_model="for-classify",
    summarize_model="for-extractive",
    abstractive_model="for-abstractive",
    chat_model="for-chat",
    embed_model="for-embed",
)
KINDS: dict[str, ModelKind] = {
    "for-classify": "encoder",
    "for-extractive": "encoder",
    "for-abstractive": "seq2seq",
    "for-chat": "decoder",
    "for-embed": "encoder",
    "head": "classifier",
}
CALLER = caller()


class Shelf:
    def ref(self, name: str) -> ModelRef:
        if name not in KINDS:
            raise model_not_found(name, KINDS)
        return ModelRef(name, "", KINDS[name], sentence_embeddings=KINDS[name] == "encoder")

    def installed(self) -> list[InstalledModel]:
        return []


@pytest.fixture
async def books(sqlite_database: Database) -> Books:
    await sqlite_database.write(add_tenant)
    return Books(sqlite_database)


def calls(backend: FakeBackend, metering: Any = None) -> Calls:
    """Without metering they cannot run anything."""
    return Calls(Defaults(SETTINGS), Shelf(), backend, Gate(1), holding, metering, None)  # type: ignore[arg-type]


def chat(**fields: Any) -> ChatRequest:
    return ChatRequest.model_validate(
        {"messages": [{"role": "user", "content": "hello there"}], **fields}
    )


async def prepare(task: str, request: TaskRequest) -> Call:
    return await calls(FakeBackend()).prepare("req_1", CALLER, task, request, deadline_ms=5.0)


@pytest.mark.parametrize(
    ("task", "request_", "model"),
    [
        ("classify", ClassifyRequest(text="a", labels=["x", "y"]), "for-classify"),
        ("summarize", SummarizeRequest(text="a"), "for-extractive"),
        ("summarize", SummarizeRequest(text="a", method="extractive"), "for-extractive"),
        ("summarize", SummarizeRequest(text="a", method="abstractive"), "for-abstractive"),
        ("summarize", SummarizeRequest(text="a", model="for-chat"), "for-chat"),
        ("chat", chat(), "for-chat"),
        ("embed", EmbedRequest(text="a"), "for-embed"),
        ("classify", ClassifyRequest(text="a", model="head"), "head"),
    ],
)
async def test_model_of_a_request(task: str, request_: TaskRequest, model: str) -> None:
    call = await prepare(task, request_)
    assert call.model.name == model


async def test_call_is_all_that_the_worker_needs() -> None:
    call = await prepare("chat", chat(stream=True, seed=1))
    assert (call.id, call.task, call.stream, call.deadline_ms) == ("req_1", "chat", True, 5.0)
    assert call.tenant == CALLER.tenant
    assert ChatRequest.model_validate(call.request) == chat(stream=True, seed=1)


@pytest.mark.parametrize(
    ("task", "request_"),
    [
        ("embed", EmbedRequest(text="a", model="for-chat")),
        ("chat", chat(model="head")),
        ("chat", chat(model="for-abstractive")),
        ("classify", ClassifyRequest(text="a", model="for-abstractive")),
        ("summarize", SummarizeRequest(text="a", model="head")),
    ],
)
async def test_model_that_cannot(task: str, request_: TaskRequest) -> None:
    with pytest.raises(Problem) as raised:
        await prepare(task, request_)
    assert raised.value.code == "model_cannot_do_task"
    assert task in raised.value.message


RESTRICTED = caller(Permit.of(["for-chat", "for-embed"]))


@pytest.mark.parametrize("named", ["for-embed", None])
async def test_model_that_the_key_may_use(named: str | None) -> None:
    service = calls(FakeBackend())
    call = await service.prepare("req_1", RESTRICTED, "embed", EmbedRequest(text="a", model=named))
    assert call.model.name == "for-embed"


@pytest.mark.parametrize("named", ["for-classify", None])
async def test_model_that_the_key_may_not_use(named: str | None) -> None:
    request = ClassifyRequest(text="a", labels=["x", "y"], model=named)
    with pytest.raises(Problem) as raised:
        await calls(FakeBackend()).prepare("req_1", RESTRICTED, "classify", request)
    assert raised.value.code == "not_allowed"
    assert "for-chat, for-embed" in raised.value.message


ABSTRACTIVE = SummarizeRequest(text="a", method="abstractive")


@pytest.mark.parametrize(
    ("request_", "allowed", "embedder"),
    [
        (ABSTRACTIVE, None, "for-embed"),
        (ABSTRACTIVE, ["for-abstractive", "for-embed"], "for-embed"),
        # One that may only make summaries better is left out where it may not be used.
        (ABSTRACTIVE, ["for-abstractive"], None),
        # Their model makes sentence vectors itself.
        (SummarizeRequest(text="a", method="extractive"), None, None),
    ],
)
async def test_a_second_model_for_sentence_vectors(
    request_: TaskRequest, allowed: list[str] | None, embedder: str | None
) -> None:
    principal = CALLER if allowed is None else caller(Permit.of(allowed))
    call = await calls(FakeBackend()).prepare("req_1", principal, "summarize", request_)
    assert (call.embedder and call.embedder.name) == embedder


@asynccontextmanager
async def served(backend: FakeBackend, books: Books) -> AsyncIterator[Calls]:
    await backend.start()
    yield calls(backend, books.metering)


async def whole(running: Running) -> AsyncGenerator[bytes]:
    result = await running.result()
    yield await running.settle(result, lambda cost: f"{cost}".encode())


async def accepted_only(running: Running) -> AsyncGenerator[bytes]:
    yield b"accepted"
    await asyncio.Event().wait()


async def ledger(books: Books) -> list[LedgerRow]:
    return await books.database.read(lambda tables: tables.ledger.of_account("acc_1", None, 100))


async def ask(
    service: Calls,
    call_id: str = "req_1",
    make: Callable[[Running], AsyncGenerator[bytes]] = whole,
    principal: Principal = CALLER,
) -> AsyncGenerator[bytes]:
    call = await service.prepare(call_id, principal, "chat", chat())
    return service.answer(call, principal, b"hello there", None, make)


async def test_a_call_is_billed_before_its_last_piece(books: Books) -> None:
    await books.set_price()
    backend = FakeBackend()
    async with served(backend, books) as service, aclosing(await ask(service)) as pieces:
        assert await anext(pieces) == b"0.000000004"
        [row] = await ledger(books)
        assert (row.outcome, row.cost, row.prompt_tokens, row.completion_tokens) == (
            "completed",
            4,
            2,
            2,
        )
    assert backend.cancelled == []


async def test_without_a_price_the_cost_is_unknown(books: Books) -> None:
    async with served(FakeBackend(), books) as service, aclosing(await ask(service)) as pieces:
        assert await anext(pieces) == b"None"
    assert [row.cost for row in await ledger(books)] == [0]


async def test_leaving_early_stops_the_call(books: Books) -> None:
    await books.set_price()
    backend = FakeBackend()
    async with served(backend, books) as service:
        async with aclosing(await ask(service, make=accepted_only)) as pieces:
            await anext(pieces)
        assert backend.cancelled == ["req_1"]
        async with aclosing(await ask(service, "req_2")) as pieces:
            await anext(pieces)
    rows = [(row.outcome, row.code, row.cost) for row in await ledger(books)]
    assert rows == [("aborted", "cancelled", 2), ("completed", None, 4)]


async def test_what_exceeds_the_budget_is_not_run(books: Books) -> None:
    await books.set_price()
    await books.budgets.set(Owner("key", "key_1"), "total", 100)
    backend = FakeBackend()
    async with served(backend, books) as service:
        with pytest.raises(Problem) as raised:
            await anext(await ask(service))
        assert raised.value.code == "budget_exceeded"
        assert backend.released == ["req_1"]
    assert await ledger(books) == []


async def test_tokens_that_were_not_used_come_back(books: Books) -> None:
    limited = caller(limits=Limits(tokens_per_minute=514))
    async with served(FakeBackend(), books) as service:
        for number in range(2):
            async with aclosing(await ask(service, f"req_{number}", principal=limited)) as pieces:
                await anext(pieces)
            # The worst case was reserved: 2 tokens of the prompt, and 512.
            rate = books.limiter.rates(limited.limited)[0]
            assert (rate.name, rate.remaining) == ("key-tokens", 510)
            books.clock.advance(MINUTE)


async def test_a_quote_is_what_would_be_reserved(books: Books) -> None:
    backend = FakeBackend()
    async with served(backend, books) as service:
        call = await service.prepare("req_1", CALLER, "chat", chat(max_tokens=10))
        assert (await service.quote(call, CALLER)).cost is None
        await books.set_price()
        assert (await service.quote(call, CALLER)).cost == 12
    assert backend.status().running == 0
    assert await ledger(books) == []


class SlowToMeasure(FakeBackend):
    """Has measured a call before it says so."""

    def __init__(self) -> None:
        super().__init__()
        self.measured = asyncio.Event()

    async def measure(self, call: Call) -> Measurement:
        measurement = await super().measure(call)
        self.measured.set()
        await asyncio.Event().wait()
        return measurement


async def test_cancelled_while_measured_is_released(books: Books) -> None:
    backend = SlowToMeasure()
    async with served(backend, books) as service:
        task = asyncio.ensure_future(anext(await ask(service)))
        await backend.measured.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert backend.released == ["req_1"]
    assert backend.status().running == 0
    assert await ledger(books) == []
