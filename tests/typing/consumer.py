"""What users write, as type checkers see it. Checked by mypy and pyright; never run."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, assert_type

from llmaas_client import (
    Account,
    AccountList,
    Application,
    AsyncClient,
    AsyncStream,
    ChatResult,
    Classification,
    ClassifyResult,
    Client,
    ContextOverflow,
    CreatedKey,
    DeadlineExceeded,
    Delta,
    EmbedResult,
    Health,
    Key,
    Limits,
    LLMaaSError,
    ModelInfo,
    Price,
    Progress,
    Start,
    Stream,
    SummarizeResult,
    TaskInfo,
    UsageGroup,
    UsageReport,
)


class Mood(StrEnum):
    GOOD = "praise"
    BAD = "complaint"


Tone = Literal["kind", "rude"]


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
        assert_type(reply, ChatResult)
        assert_type(reply.text, str)
        client.chat(
            [{"role": "user", "content": "Hi"}, reply.message, {"role": "user", "content": "?"}]
        )

        with client.chat.stream("Hello", max_tokens=5) as stream:
            assert_type(stream, Stream[ChatResult])
            for text in stream:
                assert_type(text, str)
        assert_type(stream.result, ChatResult)

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
        client.chat("x", max_tokens="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        client.classify("x", labels=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        client.classify.stream("x")  # type: ignore[attr-defined]  # pyright: ignore


async def not_sync() -> None:
    async with AsyncClient() as client:
        assert_type(await client.classify("x", labels=Mood), ClassifyResult)
        assert_type(await client.summarize("x"), SummarizeResult)
        assert_type(await client.chat("x"), ChatResult)
        assert_type(await client.embed(["x"]), EmbedResult)
        assert_type(await client.models(), list[ModelInfo])
        assert_type(await client.health(), Health)
        assert_type(await client.account.keys.rotate("key_1"), CreatedKey)
        assert_type(await client.accounts.list(), AccountList)
        assert_type(await client.usage(), UsageReport)
        async with client.chat.stream("Hello") as stream:
            assert_type(stream, AsyncStream[ChatResult])
            async for text in stream:
                assert_type(text, str)
            async for event in stream.events():
                assert_type(event, Start | Delta | Progress)
            assert_type(await stream.finish(), ChatResult)


def failing(client: Client) -> str:
    try:
        return client.chat("x").text
    except ContextOverflow as error:
        return assert_type(error.hint, str | None) or ""
    except DeadlineExceeded as error:
        return error.phase
    except LLMaaSError as error:
        return assert_type(error.code, str)
