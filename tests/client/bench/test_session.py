"""Loads on real sockets: a server in OpenAI's shape, and our own over the fake backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmaas_client.bench.load import Closed, Limit, Load, Open
from llmaas_client.bench.session import HOPELESS, Level, Plan, Session
from llmaas_client.bench.summary import summarize
from llmaas_client.bench.target import Target, config_of
from llmaas_client.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    InvalidRequest,
)
from llmaas_server.settings import Settings
from support.front import Front, front
from support.http_server import Exchange, HTTPServer, serving
from support.openai_server import OpenAIServer


async def measure(
    url: str, load: Load, *, key: str | None = None, **plan: Any
) -> tuple[Target, Level]:
    fields: dict[str, Any] = {"seed": "1", "prompt_tokens": 30, "output_tokens": 5, "timeout": 10.0}
    async with Session(config_of(url, key), Plan(**fields | plan)) as session:
        level = await session.run(load)
    assert session.levels == [level]
    assert level.under_way == 0
    return session.target, level


def chats(server: HTTPServer) -> list[Any]:
    return [request.json for request in server.requests if request.path.endswith("completions")]


async def test_a_closed_load_on_a_server_of_openais_shape() -> None:
    with serving(OpenAIServer()) as server:
        target, level = await measure(server.url, Closed(3), limit=Limit(requests=7))
    assert (target.api, target.model) == ("openai", "words")
    summary = summarize(level)
    assert (summary.requests, summary.failed, summary.estimated) == (7, 0, False)
    assert (summary.prompt_tokens, summary.output_tokens) == (30, 5)
    assert [len(sample.pieces) for sample in level.samples] == [5] * 7
    assert all(sample.due <= sample.pieces[0] <= sample.ended for sample in level.samples)
    sent = chats(server)
    assert len(sent) == 2 + 2 + 7, "to fit, to warm up, and counted"
    assert len({str(body["messages"]) for body in sent}) == len(sent)
    assert all(body["ignore_eos"] and body["model"] == "words" for body in sent)
    assert server.connections <= 3 + 1, "connections live on"


async def test_an_open_load_sends_what_is_due() -> None:
    with serving(OpenAIServer()) as server:
        _, level = await measure(server.url, Open(200.0), limit=Limit(requests=20))
    assert len(level.samples) == 20
    dues = sorted(sample.due for sample in level.samples)
    assert dues[0] > level.began
    assert len(set(dues)) == 20


async def test_a_load_ends_by_the_clock() -> None:
    with serving(OpenAIServer()) as server:
        _, level = await measure(server.url, Closed(2), limit=Limit(seconds=0.3))
    assert level.samples
    assert max(sample.due for sample in level.samples) - level.began < 0.3


async def test_a_server_that_does_not_count() -> None:
    with serving(OpenAIServer(counts=False)) as server:
        _, level = await measure(server.url, Closed(1), limit=Limit(requests=2))
    summary = summarize(level)
    assert summary.estimated
    assert (summary.prompt_tokens, summary.output_tokens) == (None, 5)
    assert [len(body["messages"][0]["content"].split()) for body in chats(server)[-2:]] == [30, 30]


async def test_a_server_that_hangs_up_without_a_mark() -> None:
    with serving(OpenAIServer(marks_the_end=False)) as server:
        _, level = await measure(server.url, Closed(1), limit=Limit(requests=2))
    summary = summarize(level)
    assert (summary.failed, summary.output_tokens, summary.estimated) == (0, 5, False)


async def test_a_shared_prefix_is_sent() -> None:
    with serving(OpenAIServer()) as server:
        await measure(server.url, Closed(1), limit=Limit(requests=2), shared_prefix=10)
    first, second = (body["messages"][0]["content"].split() for body in chats(server)[-2:])
    assert first[:10] == second[:10]
    assert first != second


async def test_embeddings_in_batches() -> None:
    with serving(OpenAIServer()) as server:
        _, level = await measure(
            server.url, Closed(2), task="embed", batch=4, limit=Limit(requests=3)
        )
    summary = summarize(level)
    assert summary.failed == 0
    assert summary.texts_per_s == pytest.approx(4 * summary.requests_per_s)
    assert summary.prompt_tokens == 4 * 30


async def test_a_key_is_asked_for() -> None:
    with serving(OpenAIServer(key="sk-right")) as server:
        with pytest.raises(AuthenticationFailed, match="--api-key"):
            await measure(server.url, Closed(1))
        _, level = await measure(server.url, Closed(1), key="sk-right", limit=Limit(requests=1))
    assert level.samples[0].failure is None


async def test_a_server_without_ignore_eos() -> None:
    with serving(OpenAIServer(knows_ignore_eos=False)) as server:
        with pytest.raises(InvalidRequest, match=r"unknown_parameter.*--no-ignore-eos"):
            await measure(server.url, Closed(1))
        _, level = await measure(server.url, Closed(1), ignore_eos=False, limit=Limit(requests=1))
    assert level.samples[0].failure is None


async def test_nobody_listens() -> None:
    with serving(OpenAIServer()) as server:
        url = server.url
    with pytest.raises(ConnectionFailed, match="does not answer"):
        await measure(url, Closed(1))


async def test_a_model_must_be_named_where_there_is_no_list() -> None:
    with (
        serving(lambda exchange: exchange.answer({}, "404 Not Found")) as server,
        pytest.raises(ConfigurationError, match="--model"),
    ):
        await measure(server.url, Closed(1))


def failing_after(good: int, fail: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """A server that answers so many chats and then breaks."""
    answer = OpenAIServer()
    answered = 0

    def handle(exchange: Exchange) -> None:
        nonlocal answered
        if exchange.path.endswith("completions"):
            answered += 1
            if answered > good:
                fail(exchange)
                return
        answer(exchange)

    return handle


def cut(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("message", {"choices": [{"delta": {"content": "half"}}]})
    exchange.end_stream()


def break_off(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("message", {"choices": [{"delta": {"content": "half"}}]})
    exchange.hang_up()


def stay_silent(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.wait_for_close()


def talk_nonsense(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(b"data: hello\n\n")
    exchange.end_stream()


def complain(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("message", {"error": {"code": "worker_lost", "message": "gone"}})
    exchange.end_stream()


def refuse(exchange: Exchange) -> None:
    exchange.answer({"error": {"code": "overloaded", "message": "full"}}, "503 Busy")


@pytest.mark.parametrize(
    ("fail", "code"),
    [
        (cut, "stream_interrupted"),
        (break_off, "connection_failed"),
        (stay_silent, "timeout"),
        (talk_nonsense, "unexpected_response"),
        (complain, "worker_lost"),
        (refuse, "overloaded"),
    ],
)
async def test_failures_are_counted_and_no_tokens_of_theirs(
    fail: Callable[[Exchange], None], code: str
) -> None:
    with serving(failing_after(4, fail)) as server:
        _, level = await measure(
            server.url, Closed(1), warmup=0, timeout=0.5, limit=Limit(requests=3)
        )
    summary = summarize(level)
    assert summary.errors == {code: 1}
    assert sum(sample.output_tokens for sample in level.samples if not sample.failure) == 10


async def test_a_connection_that_was_closed_between_two_requests_is_replaced() -> None:
    answer = OpenAIServer()

    def handle(exchange: Exchange) -> None:
        if exchange.number == 6:  # of seven: two to look, two to fit, three that count
            exchange.hang_up()
        else:
            answer(exchange)

    with serving(handle) as server:
        _, level = await measure(server.url, Closed(1), warmup=0, limit=Limit(requests=3))
    assert [sample.failure for sample in level.samples] == [None] * 3
    assert len(server.requests) == 8


async def test_a_load_ends_when_nothing_works() -> None:
    with serving(failing_after(2, refuse)) as server:
        _, level = await measure(
            server.url, Closed(4), warmup=0, limit=Limit(requests=10_000, seconds=60.0)
        )
    assert HOPELESS <= len(level.samples) < HOPELESS + 4


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    home = tmp_path_factory.mktemp("home")
    with front(Settings(home=home, backend="fake")) as served:
        yield served


@pytest.fixture
def at_home(ours: Front, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("LLMAAS_API_KEY", ours.key)
    return ours.url


async def test_our_own_server_is_known_as_such(at_home: str) -> None:
    target, level = await measure(f"{at_home}/v1/", Closed(4), limit=Limit(requests=8))
    summary = summarize(level)
    assert target.api == "llmaas"
    assert (summary.failed, summary.prompt_tokens, summary.output_tokens) == (0, 30, 5)


@pytest.mark.parametrize("task", ["classify", "embed"])
async def test_our_other_tasks(at_home: str, task: str) -> None:
    _, level = await measure(at_home, Closed(2), task=task, batch=3, limit=Limit(requests=4))
    summary = summarize(level)
    assert summary.failed == 0
    assert summary.prompt_tokens == 3 * 30
