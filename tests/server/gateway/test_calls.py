"""A call takes its model, its place and its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.chat import ChatRequest
from llmaas_client.wire.classify import ClassifyRequest
from llmaas_client.wire.embed import EmbedRequest
from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.errors import Problem, model_not_found
from llmaas_server.gateway.calls import Calls, result_of
from llmaas_server.gateway.choice import Defaults
from llmaas_server.gateway.gate import Gate
from llmaas_server.gateway.principals import Permit
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.seam.values import Call, Measurement, ModelKind, ModelRef
from llmaas_server.settings import Settings
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


def calls(backend: FakeBackend, max_queue: int = 8) -> Calls:
    return Calls(Defaults(SETTINGS), Shelf(), backend, Gate(max_queue), holding)


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


async def test_result() -> None:
    backend = FakeBackend()
    await backend.start()
    service = calls(backend)
    call = await service.prepare("req_1", CALLER, "chat", chat())
    async with service.running(call) as (accepted, events):
        result = await result_of(events)
    assert accepted.prompt_tokens == 2
    assert result.body["message"]["content"] == "hello there"
    assert backend.cancelled == []


async def test_leaving_early_stops_the_call() -> None:
    backend = FakeBackend()
    await backend.start()
    service = calls(backend, max_queue=1)
    async with service.running(await service.prepare("req_1", CALLER, "chat", chat())):
        pass
    assert backend.cancelled == ["req_1"]
    async with service.running(await service.prepare("req_2", CALLER, "chat", chat())) as (
        _,
        events,
    ):
        assert await result_of(events)


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


async def test_cancelled_while_measured_is_released() -> None:
    backend = SlowToMeasure()
    await backend.start()
    service = calls(backend, max_queue=1)

    async def run() -> None:
        async with service.running(await service.prepare("req_1", CALLER, "chat", chat())):
            raise AssertionError("never accepted")

    task = asyncio.create_task(run())
    await backend.measured.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert backend.released == ["req_1"]
    assert backend.status().running == 0
