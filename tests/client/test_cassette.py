"""Answers kept in a file and given again, without a network and without keys."""

from __future__ import annotations

import asyncio
import json
import pickle
import socket
from pathlib import Path
from typing import Any

import pytest

from llmaas_client import AsyncClient, Client, errors
from support import answers
from support.clients import KINDS, Kind
from support.http_server import Exchange, serving
from support.mapping import TaskServer, refusal

KEY = "llmaas_s3cret"
LABELS = ["positive", "negative"]


def talking(exchange: Exchange) -> None:
    """Streams where it is asked to, and counts its answers."""
    if not exchange.json.get("stream"):
        exchange.answer(answers.chat(f"answer {exchange.number}"))
        return
    exchange.start_stream()
    exchange.event("start", answers.START)
    for text in ("Zwölf ", "Bäume"):
        exchange.event("delta", {"text": text})
    exchange.event("done", answers.chat("Zwölf Bäume"))
    exchange.end_stream()


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    return tmp_path / "cassette.jsonl"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Any:
    """For tests that ask for it after they have recorded."""

    def cut() -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("the network was used")

        monkeypatch.setattr(socket, "create_connection", refuse)
        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)

    return cut


def test_what_was_recorded_is_replayed(cassette: Path, no_network: Any) -> None:
    with (
        serving(TaskServer().answer) as server,
        Client.record(cassette, base_url=server.url, api_key=KEY) as client,
    ):
        said = client.chat("Hello", max_tokens=5)
        mood = client.classify("good", labels=LABELS)
        many = client.embed.map(["a", "bb"])
    no_network()
    with Client.replay(cassette, base_url="http://elsewhere.example") as client:
        assert client.embed.map(["a", "bb"])[:] == many[:]
        assert client.classify("good", labels=LABELS) == mood
        assert client.chat("Hello", max_tokens=5) == said


@pytest.mark.parametrize("kind", KINDS)
def test_streams(kind: Kind, cassette: Path, no_network: Any) -> None:
    with (
        serving(talking) as server,
        Client.record(cassette, base_url=server.url) as client,
        client.chat.stream("Hello") as live,
    ):
        assert list(live) == ["Zwölf ", "Bäume"]
    no_network()
    if kind == "sync":
        with Client.replay(cassette) as client, client.chat.stream("Hello") as live:
            assert list(live) == ["Zwölf ", "Bäume"]
        assert live.result.text == "Zwölf Bäume"
        return

    async def main() -> None:
        async with AsyncClient.replay(cassette) as client:
            async with client.chat.stream("Hello") as live:
                assert [text async for text in live] == ["Zwölf ", "Bäume"]
            assert live.result.text == "Zwölf Bäume"

    asyncio.run(main())


def test_an_async_client_records_too(cassette: Path) -> None:
    async def main(url: str) -> None:
        async with AsyncClient.record(cassette, base_url=url) as client:
            await asyncio.gather(*[client.chat(f"Hello {n}") for n in range(5)])

    with serving(talking) as server:
        asyncio.run(main(server.url))
    with Client.replay(cassette) as client:
        assert {client.chat(f"Hello {n}").text for n in range(5)} == {
            f"answer {n}" for n in range(1, 6)
        }


def test_a_stream_that_was_left_is_what_came_of_it(cassette: Path) -> None:
    with (
        serving(talking) as server,
        Client.record(cassette, base_url=server.url) as client,
        client.chat.stream("Hello") as live,
    ):
        first = next(iter(live))
    with Client.replay(cassette) as client, client.chat.stream("Hello") as live:
        assert next(iter(live)) == first == "Zwölf "


def test_equal_requests_get_their_answers_in_order_then_the_last_again(cassette: Path) -> None:
    with serving(talking) as server, Client.record(cassette, base_url=server.url) as client:
        client.chat("Hello")
        client.chat("Hello")
    with Client.replay(cassette) as client:
        said = [client.chat("Hello").text for _ in range(4)]
    assert said == ["answer 1", "answer 2", "answer 2", "answer 2"]


def test_errors_and_retries_are_replayed_without_waiting(cassette: Path) -> None:
    tasks = TaskServer(
        refuse=lambda exchange, number: (
            (number == 1 and refusal(exchange, "overloaded", after=0))
            or (number == 3 and refusal(exchange, "model_not_found", "404 No"))
        )
    )
    with (
        serving(tasks.answer) as server,
        Client.record(cassette, base_url=server.url) as client,
    ):
        client.chat("Hello")
        with pytest.raises(errors.ModelNotFound):
            client.chat("Hello", model="x")
    text = cassette.read_text().replace('"retry-after": "0"', '"retry-after": "100"')
    cassette.write_text(text)
    with Client.replay(cassette) as client:
        assert client.chat("Hello").text == "You said Hello"
        with pytest.raises(errors.ModelNotFound):
            client.chat("Hello", model="x")


def test_no_key_is_ever_written(cassette: Path) -> None:
    created = {"id": "key_1", "key": "llmaas_new_secret", "password": "pa55word"}

    def answer(exchange: Exchange) -> None:
        body = answers.chat() if "tasks" in exchange.path else created
        exchange.answer(body, set_cookie="session=c00kie", x_request_id="req-1")

    with (
        serving(answer) as server,
        Client.record(
            cassette, base_url=server.url, api_key=KEY, management_key="llmaas_manage"
        ) as client,
    ):
        client.chat("Hello")
        for call in (
            lambda: client.account.keys.create("ci"),
            lambda: client.account.sign_in("a@b.example", "pa55word"),
        ):
            with pytest.raises(errors.UnexpectedResponse):
                call()
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    text = cassette.read_text()
    for secret in (KEY, "llmaas_manage", "llmaas_new_secret", "pa55word", "c00kie", "Bearer"):
        assert secret not in text
    assert len(text.splitlines()) == 2
    with Client.replay(cassette) as client, pytest.raises(errors.NotRecorded, match="never"):
        client.using(timeout=5).account.keys.list()


def test_a_missing_answer_says_which(cassette: Path, no_network: Any) -> None:
    with (
        serving(TaskServer().answer) as server,
        Client.record(cassette, base_url=server.url) as client,
    ):
        client.classify("good", labels=LABELS)
    no_network()
    with Client.replay(cassette) as client:
        with pytest.raises(errors.NotRecorded) as caught:
            client.classify("good", labels=["a", "b"])
        assert "POST /v1/tasks/classify" in str(caught.value)
        assert "differs in labels" in str(caught.value)
        assert "Client.record" in str(caught.value)
        assert isinstance(caught.value, LookupError)
        with pytest.raises(errors.NotRecorded):
            client.chat("Hello")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("", "is not a cassette"),
        ("text\n", "line 1"),
        ('{"llmaas_cassette": 99}\n', "does not begin with"),
        ('{"llmaas_cassette": 1}\n{"request": {}}\n', "line 2"),
        ('{"llmaas_cassette": 1}\n{"request": {"method"', "line 2"),
    ],
)
def test_what_is_no_cassette(cassette: Path, content: str | None, said: str) -> None:
    if content is not None:
        cassette.write_text(content)
    with Client.replay(cassette) as client, pytest.raises(errors.ConfigurationError, match=said):
        client.chat("Hello")


def test_recording_begins_anew_and_needs_a_place(cassette: Path) -> None:
    cassette.write_text("old\n")
    with serving(talking) as server:
        client = Client.record(cassette, base_url=server.url)
        assert cassette.read_text() == "old\n", "nothing is written before there is an answer"
        client.chat("Hello")
        assert json.loads(cassette.read_text().splitlines()[0]) == {"llmaas_cassette": 1}
        client.close()
        with (
            Client.record(cassette.parent / "no" / "x.jsonl", base_url=server.url) as client,
            pytest.raises(errors.ConfigurationError, match="cannot be written"),
        ):
            client.chat("Hello")


def test_of_a_client_that_is_there(cassette: Path) -> None:
    with serving(talking) as server, Client(server.url, KEY) as client:
        client.record(cassette).chat("Hello")
        client.chat("not this one")
        assert client.replay(cassette).chat("Hello").text == "answer 1"
        with pytest.raises(errors.NotRecorded):
            client.replay(cassette).chat("not this one")
        with pytest.raises(TypeError, match="timeout"):
            client.record(cassette, timeout=5)
        assert server.connections == 1


def test_pickles(cassette: Path) -> None:
    with serving(talking) as server, Client.record(cassette, base_url=server.url) as client:
        client.chat("Hello")
        with pytest.raises(TypeError, match="records"):
            pickle.dumps(client)
    again = pickle.loads(pickle.dumps(Client.replay(cassette)))
    assert again.chat("Hello").text == "answer 1"


def test_maps_are_replayed(cassette: Path) -> None:
    with (
        serving(TaskServer().answer) as server,
        Client.record(cassette, base_url=server.url) as client,
    ):
        client.classify.map(["good", "bad"], labels=LABELS)
    with Client.replay(cassette) as client:
        out = client.classify.map(["good", "bad"], labels=LABELS)
        assert [answer.label for answer in out] == LABELS
