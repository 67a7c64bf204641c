"""Both clients against a mocked network: what is sent, what is made of the answer."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from enum import StrEnum
from typing import Any, Literal

import httpx
import pytest
import respx

from llmaas_client import AsyncClient, Client, errors
from llmaas_client.tasks.chat import Chat
from llmaas_client.wire.chat import ChoiceFormat, JsonFormat, JsonSchemaFormat, RegexFormat
from support import answers
from support.clients import KINDS, Kind, StillClock, chat
from support.http_server import Exchange, serving

HERE = "http://127.0.0.1:8000"
OWN = {"base_url": HERE, "api_key": "s3cret"}


@pytest.fixture
def client() -> Any:
    with Client(HERE, "s3cret", clock=StillClock()) as client:
        yield client


def sent(route: respx.Route) -> Any:
    return json.loads(route.calls.last.request.content)


@respx.mock
def test_chat(client: Client) -> None:
    route = respx.post(f"{HERE}/v1/tasks/chat").respond(json=answers.chat("Hi"))
    result = client.chat("Hello", system="Be brief.", max_tokens=5, temperature=0, stop=("x",))
    assert result.text == "Hi"
    assert (result.request_id, result.usage.total_tokens, result.timing.total_ms) == (
        "req-1",
        7,
        3.5,
    )
    assert sent(route) == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
        ],
        "max_tokens": 5,
        "temperature": 0,
        "stop": ["x"],
    }
    assert route.calls.last.request.headers["authorization"] == "Bearer s3cret"


SCHEMA = {"type": "object", "properties": {"a": {"const": None}}}


@respx.mock
@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (JsonSchemaFormat(json_schema=SCHEMA), {"type": "json_schema", "schema": SCHEMA}),
        ({"type": "json_schema", "schema": SCHEMA}, {"type": "json_schema", "schema": SCHEMA}),
        (ChoiceFormat(choices=["a"]), {"type": "choice", "choices": ["a"]}),
        (RegexFormat(pattern="a+"), {"type": "regex", "pattern": "a+"}),
        (JsonFormat(), {"type": "json"}),
    ],
)
def test_a_format_is_sent_whole(client: Client, given: Any, wanted: Any) -> None:
    route = respx.post(f"{HERE}/v1/tasks/chat").respond(json=answers.chat("Hi"))
    client.chat("Hello", response_format=given)
    assert sent(route)["response_format"] == wanted


@respx.mock
def test_a_conversation_takes_results_as_they_are(client: Client) -> None:
    route = respx.post(f"{HERE}/v1/tasks/chat").respond(json=answers.chat("Hi"))
    first = client.chat("Hello")
    client.chat(
        [{"role": "user", "content": "Hello"}, first.message, {"role": "user", "content": "?"}]
    )
    assert [turn["content"] for turn in sent(route)["messages"]] == ["Hello", "Hi", "?"]


class Mood(StrEnum):
    GOOD = "positive"
    BAD = "negative"


@respx.mock
@pytest.mark.parametrize(
    "labels",
    [["positive", "negative"], ("positive", "negative"), Mood, Literal["positive", "negative"]],
)
def test_classify(client: Client, labels: Any) -> None:
    route = respx.post(f"{HERE}/v1/tasks/classify").respond(json=answers.classify())
    result = client.classify("I love it", labels=labels, top_k=2)
    assert (result.label, result.score) == ("positive", 0.9)
    assert result.scores == {"positive": 0.9, "negative": 0.1}
    assert sent(route) == {"text": "I love it", "labels": ["positive", "negative"], "top_k": 2}


@respx.mock
def test_summarize_and_embed(client: Client) -> None:
    route = respx.post(f"{HERE}/v1/tasks/summarize").respond(json=answers.summarize())
    assert client.summarize(["one", "two"], max_words=80, style="bullets").summary == "Short."
    assert sent(route)["text"] == ["one", "two"]
    route = respx.post(f"{HERE}/v1/tasks/embed").respond(json=answers.embed())
    assert client.embed("x", model="m").embedding == [0.6, 0.8]
    assert sent(route) == {"text": "x", "model": "m"}


@respx.mock
def test_what_there_is(client: Client) -> None:
    task = {"name": "chat", "path": "/v1/tasks/chat", "streams": True, "default_model": None}
    task |= {"request_schema": {}, "result_schema": {}}
    route = respx.get(f"{HERE}/v1/models").respond(json=answers.models())
    respx.get(f"{HERE}/v1/tasks").respond(json={"tasks": [task]})
    assert [model.id for model in client.models()] == ["tiny"]
    assert "idempotency-key" not in route.calls.last.request.headers
    assert [task.name for task in client.tasks()] == ["chat"]


@respx.mock
@pytest.mark.parametrize(("code", "status"), [(200, "ok"), (503, "starting")])
def test_health_is_an_answer_also_where_it_is_bad(client: Client, code: int, status: str) -> None:
    body = {"status": status, "version": "1"}
    route = respx.get(f"{HERE}/health/ready").respond(code, json=body)
    assert client.health().status == status
    assert route.call_count == 1


@respx.mock
def test_health_that_cannot_be_read_is_an_error(client: Client) -> None:
    respx.get(f"{HERE}/health/ready").respond(404, text="no such page")
    with pytest.raises(errors.NotFound):
        client.health()


@respx.mock
@pytest.mark.parametrize("kind", KINDS)
def test_both_try_again(kind: Kind) -> None:
    clock = StillClock()
    route = respx.post(f"{HERE}/v1/tasks/chat")
    route.side_effect = [
        httpx.ConnectError("refused"),
        httpx.Response(429, headers={"retry-after": "2"}, json=answers.error("rate_limited")),
        httpx.Response(200, json=answers.chat("Hi")),
    ]
    assert chat(kind, url=HERE, clock=clock).text == "Hi"
    assert clock.slept == [0.5, 2.0]
    keys = {call.request.headers["idempotency-key"] for call in route.calls}
    assert len(keys) == 1


@respx.mock
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("cause", "cls", "phase"),
    [
        (httpx.ReadTimeout, errors.DeadlineExceeded, "answer"),
        (httpx.ConnectTimeout, errors.DeadlineExceeded, "connect"),
        (httpx.PoolTimeout, errors.DeadlineExceeded, "connect"),
        (httpx.ReadError, errors.ConnectionFailed, None),
        (httpx.RemoteProtocolError, errors.ConnectionFailed, None),
        (httpx.LocalProtocolError, errors.UnexpectedResponse, None),
    ],
)
def test_both_raise_at_once_what_may_have_been_done(
    kind: Kind, cause: type[Exception], cls: type[errors.LLMaaSError], phase: str | None
) -> None:
    route = respx.post(f"{HERE}/v1/tasks/chat").mock(side_effect=cause)
    with pytest.raises(cls) as caught:
        chat(kind, HERE, clock=StillClock())
    assert route.call_count == 1
    assert getattr(caught.value, "phase", None) == phase


@respx.mock
@pytest.mark.parametrize("kind", KINDS)
def test_max_retries(kind: Kind) -> None:
    route = respx.post(f"{HERE}/v1/tasks/chat").respond(503, json=answers.error("overloaded"))
    with pytest.raises(errors.Overloaded) as caught:
        chat(kind, HERE, clock=StillClock(), max_retries=0)
    assert (route.call_count, caught.value.attempts) == (1, 1)


@respx.mock
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_not_carried_to_where_a_redirect_points(kind: Kind) -> None:
    respx.post(f"{HERE}/v1/tasks/chat").respond(307, headers={"location": "http://evil.example/"})
    evil = respx.post("http://evil.example/").respond(json=answers.chat())
    with pytest.raises(errors.UnexpectedResponse):
        chat(kind, HERE, api_key="s3cret")
    assert not evil.called


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_the_key_is_shown_nowhere(cls: Any) -> None:
    client = cls(HERE, "s3cret")
    assert repr(client) == f"{cls.__name__}('http://127.0.0.1:8000')"
    assert "s3cret" not in repr(vars(client))


@pytest.mark.parametrize("cls", [Client, AsyncClient])
@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"max_retries": -1},
        {"base_url": "nowhere"},
        {"api_key": ""},
    ],
)
def test_refuses_what_cannot_be(cls: Any, options: dict[str, Any]) -> None:
    with pytest.raises(errors.ConfigurationError):
        cls(**options)


def test_a_call_may_have_a_timeout_of_its_own(client: Client) -> None:
    with pytest.raises(errors.ConfigurationError, match="timeout"):
        client.chat("x", timeout=0)
    with respx.mock:
        route = respx.post(f"{HERE}/v1/tasks/chat").respond(json=answers.chat())
        client.chat("x", timeout=2)
        assert route.calls.last.request.headers["llmaas-deadline-ms"] == "2000"
        client.chat("x", timeout=None)
        assert "llmaas-deadline-ms" not in route.calls.last.request.headers


def test_closing_twice_is_no_mistake_and_using_it_after_is() -> None:
    client = Client(HERE)
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.chat("x")


async def test_async_closing() -> None:
    client = AsyncClient(HERE)
    await client.close()
    await client.close()
    with pytest.raises(RuntimeError, match="closed"):
        await client.chat("x")


@respx.mock
def test_a_client_that_was_given_is_used_and_stays_open() -> None:
    route = respx.post(f"{HERE}/v1/tasks/chat").respond(json=answers.chat())
    with httpx.Client(headers={"x-from": "me"}, follow_redirects=True) as given:
        with Client(HERE, http_client=given) as client:
            client.chat("x")
        assert not given.is_closed
    assert route.calls.last.request.headers["x-from"] == "me"


@respx.mock
async def test_an_async_client_that_was_given_is_used_and_stays_open() -> None:
    respx.post(f"{HERE}/v1/tasks/chat").respond(json=answers.chat())
    async with httpx.AsyncClient() as given:
        async with AsyncClient(HERE, http_client=given) as client:
            await client.chat("x")
        assert not given.is_closed


def hello(exchange: Exchange) -> None:
    exchange.answer(answers.chat())


@pytest.mark.parametrize("kind", KINDS)
def test_calls_share_one_connection(kind: Kind) -> None:
    with serving(hello) as server:
        chat(kind, server.url, calls=20)
        assert server.connections == 1


def test_threads_share_a_client() -> None:
    with serving(hello) as server, Client(server.url) as client:
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(client.chat("x").text)) for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == ["Hello you"] * 16
        assert server.connections <= 16


def test_an_async_client_serves_one_loop_after_another() -> None:
    with serving(hello) as server:
        client = AsyncClient(server.url)

        async def once() -> str:
            try:
                return (await client.chat("x")).text
            finally:
                await client._pool.close()

        assert [asyncio.run(once()) for _ in range(2)] == ["Hello you"] * 2
    gc.collect()


def test_calls_run_side_by_side() -> None:
    together = threading.Barrier(5, timeout=10)

    def meet(exchange: Exchange) -> None:
        together.wait()
        exchange.answer(answers.chat())

    async def main(url: str) -> int:
        async with AsyncClient(url) as client:
            return len(await asyncio.gather(*[client.chat("x") for _ in range(5)]))

    with serving(meet) as server:
        assert asyncio.run(main(server.url)) == 5


async def test_what_is_wrong_is_raised_where_it_is_awaited() -> None:
    async with AsyncClient(HERE) as client:
        waiting = client.chat("")
        with pytest.raises(errors.EmptyText):
            await waiting


def test_both_clients_have_the_same_doors() -> None:
    def doors(cls: Any) -> set[str]:
        return {name for name in dir(cls) if not name.startswith("_")}

    assert doors(Client) == doors(AsyncClient)
    assert {"classify", "summarize", "chat", "embed", "models", "tasks", "health"} <= doors(Client)
    assert Chat.__call__.__doc__
