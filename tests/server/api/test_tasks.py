"""The four tasks over HTTP: whole results and streams."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmaas_client.wire import TASKS
from llmaas_client.wire.chat import ChatResult
from llmaas_client.wire.classify import ClassifyResult
from llmaas_client.wire.errors import ErrorBody
from llmaas_client.wire.events import Delta, Start
from llmaas_client.wire.models import TaskList
from llmaas_client.wire.sse import PING, Decoder, ServerSentEvent
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.settings import Settings
from support.front import Front, eventually, front
from support.pacing import Turnstile

REQUESTS: dict[str, dict[str, Any]] = {
    "classify": {"text": "good", "labels": ["good", "bad"]},
    "summarize": {"text": "One sentence. Another one."},
    "chat": {"messages": [{"role": "user", "content": "three little words"}]},
    "embed": {"text": ["a", "b"]},
}

Served = Callable[..., Front]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Served]:
    """Starts a front with a backend of the test's own."""
    with ExitStack() as stack:

        def start(backend: FakeBackend, **options: Any) -> Front:
            settings = Settings(home=tmp_path, backend="fake", **options)
            return stack.enter_context(front(settings, backend))

        yield start


def post(server: Front, task: str, **fields: Any) -> httpx.Response:
    return server.http.post(TASKS[task].path, json={**REQUESTS[task], **fields})


@contextmanager
def streaming(server: Front, task: str, **fields: Any) -> Iterator[Iterator[ServerSentEvent]]:
    """The events of a streamed task, as they come."""
    body = {**REQUESTS[task], **fields, "stream": True}
    with server.http.stream("POST", TASKS[task].path, json=body) as response:
        assert response.status_code == httpx.codes.OK
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"
        yield events_of(response)


def events_of(response: httpx.Response) -> Iterator[ServerSentEvent]:
    decoder = Decoder()
    for chunk in response.iter_raw():
        yield from decoder.feed(chunk)


@pytest.mark.parametrize("task", TASKS)
def test_whole_result(server: Front, task: str) -> None:
    response = post(server, task)
    assert response.status_code == httpx.codes.OK
    assert response.headers["content-type"] == "application/json"
    result = TASKS[task].result.model_validate_json(response.content)
    assert result.id == response.headers["x-request-id"]
    assert result.model == "fake"
    assert result.cost is None
    assert "cost" in response.json()
    assert result.usage.prompt_tokens > 0
    assert result.timing.total_ms > 0


def test_requests_have_ids_of_their_own(server: Front) -> None:
    ids = {post(server, "embed").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(one.startswith("req_") for one in ids)


def test_thousand_labels(server: Front) -> None:
    labels = [f"label {number}" for number in range(1000)]
    result = ClassifyResult.model_validate_json(post(server, "classify", labels=labels).content)
    assert len(result.results[0].scores) == 1000


@pytest.mark.parametrize("task", [name for name, spec in TASKS.items() if spec.streams])
def test_stream(server: Front, task: str) -> None:
    whole = TASKS[task].result.model_validate_json(post(server, task).content)
    with streaming(server, task) as events:
        names, data = zip(*((event.event, event.data) for event in events), strict=True)
    assert names[0] == "start"
    assert names[-1] == "done"
    assert set(names[1:-1]) == {"delta"}
    start = Start.model_validate_json(data[0])
    done = TASKS[task].result.model_validate_json(data[-1])
    assert (start.model, start.prompt_tokens) == ("fake", done.usage.prompt_tokens)
    assert start.id == done.id
    text = "".join(Delta.model_validate_json(piece).text for piece in data[1:-1])
    assert text == done.text == whole.text


def test_stream_with_log_probabilities(server: Front) -> None:
    with streaming(server, "chat", logprobs=True, top_logprobs=2) as events:
        deltas = [Delta.model_validate_json(e.data) for e in events if e.event == "delta"]
    assert all(delta.logprobs and len(delta.logprobs[0].top) == 2 for delta in deltas)


def test_stream_of_any_characters(server: Front) -> None:
    said = 'line\nbreak \r "quotes" \u2028 \U0001f600 \u00e9'
    messages = [{"role": "user", "content": said}]
    with streaming(server, "chat", messages=messages) as events:
        last = list(events)[-1]
    assert ChatResult.model_validate_json(last.data).text == " ".join(said.split())


def test_deltas_come_one_by_one(serve: Served) -> None:
    turnstile = Turnstile()
    server = serve(FakeBackend(pace=turnstile))
    with streaming(server, "chat") as events:
        assert next(events).event == "start"
        eventually(lambda: turnstile.reached, "the call waits for its turn")
        for word in ("three ", "little ", "words"):
            turnstile.let()
            assert json.loads(next(events).data) == {"text": word}
        turnstile.let()
        assert next(events).event == "done"
        assert list(events) == []


def test_refusal_of_a_stream_keeps_its_status(server: Front) -> None:
    messages = [{"role": "user", "content": "word " * 5000}]
    response = post(server, "chat", messages=messages, stream=True)
    error = ErrorBody.model_validate_json(response.content).error
    assert (error.code, response.is_client_error) == ("context_overflow", True)


def test_failure_in_a_stream_is_its_last_event(serve: Served) -> None:
    turnstile = Turnstile()
    server = serve(FakeBackend(pace=turnstile))
    body = {**REQUESTS["chat"], "stream": True}
    with server.http.stream(
        "POST", TASKS["chat"].path, json=body, headers={"llmaas-deadline-ms": "300"}
    ) as response:
        names = [(event.event, event.data) for event in events_of(response)]
    assert [name for name, _ in names] == ["start", "error"]
    error = ErrorBody.model_validate_json(names[-1][1]).error
    assert error.code == "deadline_exceeded"
    assert error.request_id == response.headers["x-request-id"]


def test_failure_before_the_result_keeps_its_status(serve: Served) -> None:
    server = serve(FakeBackend(pace=Turnstile()))
    response = server.http.post(
        TASKS["chat"].path, json=REQUESTS["chat"], headers={"llmaas-deadline-ms": "100"}
    )
    assert ErrorBody.model_validate_json(response.content).error.code == "deadline_exceeded"
    assert response.is_server_error


def test_silent_stream_is_kept_open_by_comments(serve: Served) -> None:
    turnstile = Turnstile()
    server = serve(FakeBackend(pace=turnstile), ping_seconds=0.02)
    body = {**REQUESTS["chat"], "stream": True}
    with server.http.stream("POST", TASKS["chat"].path, json=body) as response:
        received = b""
        chunks = response.iter_raw()
        while received.count(PING) < 3:
            received += next(chunks)
        turnstile.let(4)
        received += b"".join(chunks)
    names = [event.event for event in Decoder().feed(received)]
    assert names == ["start", "delta", "delta", "delta", "done"]


@pytest.mark.parametrize("stream", [False, True])
def test_caller_who_goes_away_stops_the_work(
    serve: Served, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    turnstile = Turnstile()
    backend = FakeBackend(pace=turnstile)
    server = serve(backend)
    with calling(server, {**REQUESTS["chat"], "stream": stream}):
        eventually(lambda: turnstile.reached, "the call runs")
        assert backend.status().running == 1
    eventually(lambda: len(backend.cancelled) == 1, "the call is cancelled")
    assert backend.status().running == 0
    eventually(lambda: TASKS["chat"].path in caplog.text, "the access log has its line")
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("stream", [False, True])
def test_call_that_ends_well_is_not_cancelled(serve: Served, stream: bool) -> None:
    backend = FakeBackend()
    server = serve(backend)
    assert post(server, "chat", stream=stream).status_code == httpx.codes.OK
    assert backend.cancelled == []


def test_places_come_back(serve: Served) -> None:
    turnstile = Turnstile()
    backend = FakeBackend(pace=turnstile)
    server = serve(backend, max_queue=1)
    with calling(server, REQUESTS["chat"]):
        eventually(lambda: turnstile.reached, "the call runs")
        response = post(server, "chat")
        error = ErrorBody.model_validate_json(response.content).error
        assert error.code == "overloaded"
        assert error.retryable
        assert int(response.headers["retry-after"]) >= 1
    eventually(lambda: len(backend.cancelled) == 1, "the call is cancelled")
    turnstile.let(2)
    eventually(lambda: post(server, "embed").is_success, "there is room again")


@contextmanager
def calling(server: Front, body: dict[str, Any]) -> Iterator[socket.socket]:
    """A chat on a bare connection, which is closed with the block."""
    content = json.dumps(body).encode()
    head = (
        f"POST {TASKS['chat'].path} HTTP/1.1\r\nhost: localhost\r\n"
        f"authorization: Bearer {server.key}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(content)}\r\n\r\n"
    )
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 0)) as connection:
        connection.sendall(head.encode() + content)
        yield connection


def test_list_of_tasks(server: Front) -> None:
    tasks = TaskList.model_validate_json(server.http.get("/v1/tasks").content).tasks
    assert [task.name for task in tasks] == list(TASKS)
    chat = next(task for task in tasks if task.name == "chat")
    assert chat.streams
    assert chat.path == "/v1/tasks/chat"
    assert chat.default_model == "smollm2-135m-instruct-q4_1"
    assert "messages" in chat.request_schema["properties"]
    assert "finish_reason" in chat.result_schema["properties"]
