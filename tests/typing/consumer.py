"""What users write, as type checkers see it. Checked by mypy and pyright; never run."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypedDict, assert_type

from pydantic import BaseModel

from llmaas_client import (
    Account,
    AccountList,
    Application,
    AsyncClient,
    AsyncSession,
    AsyncStream,
    ChatReply,
    Classification,
    ClassifyResult,
    Client,
    ContextOverflow,
    CreatedKey,
    DeadlineExceeded,
    Delta,
    Document,
    EmbedResult,
    FunctionTool,
    Health,
    Key,
    Limits,
    LLMaaSError,
    MapItem,
    MapResult,
    Message,
    Meter,
    ModelInfo,
    Overflow,
    Price,
    Progress,
    RawResponse,
    Session,
    Start,
    Step,
    Stream,
    SummarizeResult,
    TaskInfo,
    ToolCall,
    UsageGroup,
    UsageReport,
    Used,
)


class Mood(StrEnum):
    GOOD = "praise"
    BAD = "complaint"


Tone = Literal["kind", "rude"]


class Item(BaseModel):
    name: str


@dataclass
class Point:
    x: int


class City(TypedDict):
    name: str


def sync() -> None:
    with Client("http://127.0.0.1:8000", "key", timeout=30, max_retries=1) as client:
        assert_type(client.classify("x", labels=["a", "b"]), ClassifyResult)
        client.classify(["x", "y"], labels={"a": "first", "b": "second"}, multi=True, top_k=1)
        client.classify("x", labels=Mood, threshold=0.5)
        client.classify("x", labels=Tone)
        client.classify("x", labels=Literal["kind", "rude"], timeout=None)
        result = client.classify("x", labels=["a", "b"], model="m")
        assert_type(result.label, str | None)
        assert_type(result.scores, dict[str, float])
        assert_type(result.results, list[Classification])

        assert_type(client.summarize("x", length="short", style="bullets"), SummarizeResult)
        assert_type(client.embed("x"), EmbedResult)
        assert_type(client.embed("x").embedding, list[float])
        assert_type(client.models(), list[ModelInfo])
        assert_type(client.tasks(), list[TaskInfo])
        assert_type(client.health(), Health)

        reply = client.chat("Hello", system="s", seed=1, stop=["x"], logprobs=True)
        assert_type(reply, ChatReply[str])
        assert_type(reply.value, str)
        assert_type(reply.text, str)
        client.chat(
            [{"role": "user", "content": "Hi"}, reply.message, {"role": "user", "content": "?"}]
        )

        with client.chat.stream("Hello", max_tokens=5) as stream:
            assert_type(stream, Stream[ChatReply[str]])
            for text in stream:
                assert_type(text, str)
        assert_type(stream.result, ChatReply[str])

        with client.summarize.stream("x", max_words=9) as summary:
            for event in summary.events():
                assert_type(event, Start | Delta | Progress)
        assert_type(summary.finish(), SummarizeResult)

        assert_type(client.account.show(), Account)
        assert_type(client.account.applications.list(), list[Application])
        assert_type(client.account.keys.create("ci", limits=Limits(concurrency=2)), CreatedKey)
        assert_type(client.account.keys.list(), list[Key])
        assert_type(client.usage(by=["day"]).total, UsageGroup)
        assert_type(client.prices.set(prompt="0.1"), Price)
        client.usage(by=["month"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]

        client.classify("x", label=["a"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        client.chat("x", max_tokens="5")  # type: ignore[call-overload]  # pyright: ignore
        client.classify("x", labels=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        client.classify.stream("x")  # type: ignore[attr-defined]  # pyright: ignore


async def not_sync() -> None:
    async with AsyncClient() as client:
        assert_type(await client.classify("x", labels=Mood), ClassifyResult)
        assert_type(await client.summarize("x"), SummarizeResult)
        assert_type(await client.chat("x"), ChatReply[str])
        assert_type(await client.embed(["x"]), EmbedResult)
        assert_type(await client.models(), list[ModelInfo])
        assert_type(await client.health(), Health)
        assert_type(await client.account.keys.rotate("key_1"), CreatedKey)
        assert_type(await client.accounts.list(), AccountList)
        assert_type(await client.usage(), UsageReport)
        async with client.chat.stream("Hello") as stream:
            assert_type(stream, AsyncStream[ChatReply[str]])
            async for text in stream:
                assert_type(text, str)
            async for event in stream.events():
                assert_type(event, Start | Delta | Progress)
            assert_type(await stream.finish(), ChatReply[str])


def failing(client: Client) -> str:
    try:
        return client.chat("x").text
    except ContextOverflow as error:
        return assert_type(error.hint, str | None) or ""
    except DeadlineExceeded as error:
        return error.phase
    except LLMaaSError as error:
        return assert_type(error.code, str)


def get_status(order: int) -> str:
    """Where an order is."""
    return f"{order} is on its way"


async def get_status_async(order: int) -> str:
    return get_status(order)


def approve(call: ToolCall) -> bool:
    return call.name == "get_status"


def typed_answers(client: Client) -> None:
    assert_type(client.chat("x", returns=Item).value, Item)
    assert_type(client.chat("x", returns=Item, n=2, temperature=1.0).values, tuple[Item, ...])
    assert_type(client.chat("x", returns=Point).value.x, int)
    assert_type(client.chat("x", returns=City).value["name"], str)
    assert_type(client.chat("x", returns=Mood).value, Mood)
    assert_type(client.chat("x", returns=list[Item]).value, list[Item])
    assert_type(client.chat("x", returns=int).value, int)
    client.chat("x", returns=Tone).value.upper()
    client.chat("x", returns=Literal["kind", "rude"]).value.upper()
    client.chat("x", returns=Item | None)
    with client.chat.stream("x", returns=Item) as stream:
        assert_type(stream.finish().value, Item)

    ran = client.chat.run("x", tools=[get_status], max_steps=3, approve=approve, returns=Item)
    assert_type(ran.value, Item)
    assert_type(ran.steps, tuple[Step, ...])
    client.chat.run("x", tools=[FunctionTool(get_status, name="status")], on_tool_error="raise")
    client.chat.run("x", tools=[get_status], max_stps=3)  # type: ignore[call-overload]  # pyright: ignore

    talk = client.chat.session(system="s", overflow="drop_oldest", max_tokens=5, model="m")
    assert_type(talk, Session)
    assert_type(talk.send("x"), ChatReply[str])
    assert_type(talk("x", returns=Mood).value, Mood)
    assert_type(talk.fork(), Session)
    assert_type(talk.messages, list[Message])
    assert_type(talk.send("x").overflow, Overflow | None)
    with talk.stream("x", returns=Item) as live:
        assert_type(live.finish().value, Item)
    assert_type(client.chat.session.load("talk.json"), Session)
    client.chat("x", documents=["a", {"text": "b", "title": "t"}, Document(text="c")])


async def typed_answers_awaited(client: AsyncClient) -> None:
    assert_type((await client.chat("x", returns=Item)).value, Item)
    assert_type((await client.chat.run("x", tools=[get_status_async])).value, str)
    talk = client.chat.session(tools=[get_status_async])
    assert_type(talk, AsyncSession)
    assert_type((await talk.send("x", returns=list[Item])).value, list[Item])
    async with talk.stream("x", returns=Mood) as live:
        assert_type((await live.finish()).value, Mood)
    assert_type(client.chat.session.load("talk.json"), AsyncSession)


def many(client: Client, texts: list[str]) -> None:
    out = client.classify.map(texts, labels=Mood, progress=True, on_error="skip", model="m")
    assert_type(out, MapResult[Classification])
    assert_type(out[0].label, str | None)
    assert_type(out[:2], list[Classification])
    assert_type(client.embed.map(texts)[0], list[float])
    assert_type(client.summarize.map(texts, max_words=9)[0].summary, str)
    assert_type(client.chat.map(texts, temperature=0)[0].text, str)
    for item in client.classify.imap(texts, labels=Mood, ordered=False):
        assert_type(item, MapItem[Classification])
        assert_type(item.value.score, float)
    assert_type(out.errors, dict[int, LLMaaSError])
    client.classify.map(texts, on_error="drop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def around(client: Client) -> None:
    assert_type(client.using(model="m", timeout=None, temperature=0), Client)
    assert_type(client.record("cassette.jsonl"), Client)
    assert_type(Client.replay("cassette.jsonl"), Client)
    raw = client.raw.classify("x", labels=Mood)
    assert_type(raw, RawResponse[ClassifyResult])
    assert_type(raw.parsed.label, str | None)
    with client.meter() as meter:
        assert_type(meter, Meter)
        assert_type(meter.cost, Decimal | None)
        assert_type(meter.by_model, dict[str, Used])
    with Client.local(device="cpu") as own:
        assert_type(own, Client)
        with own.chat.stream("x") as stream:
            stream.show()


async def many_later(client: AsyncClient, texts: list[str]) -> None:
    assert_type(await client.classify.map(texts, labels=Mood), MapResult[Classification])
    async for item in client.embed.imap(texts):
        assert_type(item.value, list[float])
    assert_type((await client.raw.embed("x")).parsed, EmbedResult)
    assert_type(AsyncClient.record("cassette.jsonl"), AsyncClient)
