"""Clients with defaults, raw answers, clients that travel, and ways through proxies."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmaas_client import AsyncClient, Client, errors
from support import answers
from support.clients import KINDS, Kind, StillClock, chat
from support.http_server import HTTPServer, serving
from support.mapping import TaskServer, refusal

KEY = "llmaas_s3cret"


@pytest.fixture
def server() -> Any:
    with serving(TaskServer().answer) as server:
        yield server


@pytest.fixture
def client(server: HTTPServer) -> Any:
    with Client(server.url, KEY) as client:
        yield client


def test_defaults_fill_what_a_call_leaves_out(client: Client, server: HTTPServer) -> None:
    quick = client.using(
        model="small", max_tokens=9, labels={"a": "one", "b": "two"}, threshold=0.5
    )
    quick.chat("x")
    quick.chat("x", model="large", max_tokens=1)
    quick.classify("x")
    quick.classify("x", labels=["c", "d"], threshold=0.1)
    quick.classify("x", classifier="mine")
    quick.summarize("x")
    assert [request.json for request in server.requests] == [
        {"model": "small", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
        {"model": "large", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]},
        {"model": "small", "threshold": 0.5, "text": "x", "labels": {"a": "one", "b": "two"}},
        {"model": "small", "threshold": 0.1, "text": "x", "labels": ["c", "d"]},
        {"model": "small", "threshold": 0.5, "text": "x", "classifier": "mine"},
        {"model": "small", "text": "x"},
    ]
    assert repr(quick).startswith(f"Client('{server.url}', model='small', labels={{'a': 'one'")


def test_what_a_call_says_wins_even_where_it_says_the_usual(
    client: Client, server: HTTPServer
) -> None:
    short = client.using(length="short")
    short.summarize("x")
    short.summarize("x", length="medium")
    assert [request.json["length"] for request in server.requests] == ["short", "medium"]


def test_defaults_on_defaults(client: Client, server: HTTPServer) -> None:
    client.using(model="a", seed=1).using(model="b").chat("x")
    assert {"model": "b", "seed": 1}.items() <= server.requests[0].json.items()
    client.chat("x")
    assert "model" not in server.requests[1].json, "the client itself is as it was"


def test_defaults_that_cannot_be(client: Client) -> None:
    with pytest.raises(TypeError, match="did you mean 'temperature'"):
        client.using(temprature=0)
    with pytest.raises(TypeError, match="'text'"):
        client.using(text="x")
    with pytest.raises(errors.ConfigurationError, match="timeout"):
        client.using(timeout=0)
    with pytest.raises(errors.InvalidRequest, match="temperature"):
        client.using(temperature=-1).chat("x")


def test_time_and_retries(server: HTTPServer) -> None:
    clock = StillClock()
    server.handler = TaskServer(refuse=lambda exchange, _: refusal(exchange, "overloaded")).answer
    with Client(server.url, clock=clock, timeout=60) as client:
        with pytest.raises(errors.Overloaded) as caught:
            client.using(max_retries=0, timeout=3).chat("x")
        assert caught.value.attempts == 1
        with pytest.raises(errors.Overloaded) as caught:
            client.using(model="x", max_retries=4).chat("x")
        assert caught.value.attempts == 5
        unlimited = client.using(timeout=None)
        with pytest.raises(errors.Overloaded):
            unlimited.chat("x")
    headers = [request.headers.get("llmaas-deadline-ms") for request in server.requests]
    assert (headers[0], headers[1], headers[-1]) == ("3000", "60000", None)


def test_connections_are_shared_and_close_with_the_first_client(server: HTTPServer) -> None:
    with Client(server.url) as client:
        client.chat("x")
        with client.using(model="m") as other:
            other.chat("x")
        with pytest.raises(RuntimeError, match="closed"):
            other.chat("x")
        client.chat("x")
        left = client.using(model="m")
    with pytest.raises(RuntimeError, match="closed"):
        left.chat("x")
    assert server.connections == 1


def test_async_clients_have_defaults_too(server: HTTPServer) -> None:
    async def main() -> None:
        async with AsyncClient(server.url) as client:
            await client.using(model="m").chat("x")
            raw = await client.raw.embed("four")
            assert raw.parsed.embedding == [4.0]

    asyncio.run(main())
    assert server.requests[0].json["model"] == "m"
    assert server.connections == 1


def test_raw_answers(client: Client, server: HTTPServer) -> None:
    server.handler = lambda exchange: exchange.answer(
        answers.classify() if "classify" in exchange.path else answers.chat("Hi"),
        x_request_id="req-9",
    )
    raw = client.raw.classify("x", labels=["a", "b"])
    assert (raw.status, raw.request_id, raw.headers["content-type"]) == (
        200,
        "req-9",
        "application/json",
    )
    assert raw.parsed.label == "positive"
    assert raw.json()["method"] == "embedding"
    assert raw.text == raw.content.decode()
    assert client.raw.chat("x").parsed.text == "Hi"
    assert pickle.loads(pickle.dumps(raw)) == raw
    assert "content" not in repr(raw)
    with pytest.raises(TypeError, match="no raw form"):
        client.raw.summarize.stream("x")
    with pytest.raises(TypeError, match="no raw form"):
        client.raw.embed.map(["x"])


def test_a_raw_answer_is_that_of_the_last_try(server: HTTPServer) -> None:
    server.handler = TaskServer(
        refuse=lambda exchange, number: number == 1 and refusal(exchange, "overloaded", after=0)
    ).answer
    with Client(server.url, clock=StillClock()) as client:
        assert client.raw.embed("four").json()["embeddings"] == [[4.0]]
        with pytest.raises(errors.EmptyText):
            client.raw.embed("")


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_a_client_travels_without_its_keys(cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = cls("http://llm.example:8080", KEY, management_key="llmaas_m", timeout=7)
    data = pickle.dumps(client.using(model="m", temperature=0))
    assert KEY.encode() not in data
    assert b"llmaas_m" not in data
    monkeypatch.setenv("LLMAAS_API_KEY", "llmaas_of_there")
    again = pickle.loads(data)
    assert repr(again) == repr(client.using(model="m", temperature=0))
    assert again._config.key() == "llmaas_of_there"
    assert type(again) is cls


def test_it_works_where_it_arrives(client: Client, server: HTTPServer) -> None:
    client.chat("x")
    again = pickle.loads(pickle.dumps(client.using(model="m")))
    again.chat("x")
    again.close()
    client.chat("x")
    assert [request.json.get("model") for request in server.requests] == [None, "m", None]
    assert server.connections == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"http_client": httpx.Client()}, "http_client"),
        ({"proxy": "http://me:word@proxy.example"}, "password"),
    ],
)
def test_what_cannot_travel(options: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        pickle.dumps(Client("http://llm.example", **options))


def _ask(client: Client) -> tuple[int, str]:
    return os.getpid(), client.chat("x").text


def test_workers_of_a_pool_get_the_client_and_give_back_results(client: Client) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        pid, text = pool.apply(_ask, (client,))
    assert pid != os.getpid()
    assert text == "You said x"


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_is_named_is_used_even_for_this_machine(kind: Kind) -> None:
    with serving(TaskServer().answer) as proxy:
        way = proxy.url.replace("//", "//me:word@")
        assert chat(kind, "http://127.0.0.1:9", proxy=way).text == "You said Hello"
        request = proxy.requests[0]
    assert request.path == "http://127.0.0.1:9/v1/tasks/chat"
    assert request.headers["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize("proxy", ["socks5://me:word@127.0.0.1:1", "nonsense"])
def test_a_proxy_that_cannot_be(proxy: str) -> None:
    with Client("http://outside.example", proxy=proxy) as client:
        with pytest.raises(errors.ConfigurationError, match="proxy= cannot be used") as caught:
            client.chat("x")
        assert "word" not in str(caught.value) + repr(client) + repr(vars(client))


def test_no_proxy_is_kept_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert Client("http://inside.example")._config.proxy() is None
    assert Client("http://outside.example")._config.proxy() == "http://127.0.0.1:9"
