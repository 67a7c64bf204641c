"""One number is the whole call, whatever the server does; on real sockets, in both clients."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from llmaas_client import Client, errors
from support import answers
from support.clients import KINDS, Kind, Told, chat, stream
from support.http_server import Exchange, serving

TIMEOUT = 0.4
ENOUGH = 3.0
"""Far less than the servers below would take, and enough for a busy machine."""
PAUSE = 0.03

Behaviour = Callable[[Exchange], None]


@contextmanager
def ends_in_time(phase: str) -> Iterator[None]:
    start = time.monotonic()
    with pytest.raises(errors.DeadlineExceeded) as caught:
        yield
    assert TIMEOUT * 0.9 <= time.monotonic() - start < ENOUGH
    assert caught.value.phase == phase
    assert caught.value.attempts == 1


def silence(exchange: Exchange) -> None:
    exchange.wait_for_close(30)
    exchange.hang_up()


def dripping_head(exchange: Exchange) -> None:
    exchange.drip(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 3000, PAUSE)
    exchange.hang_up()


def head_then_silence(exchange: Exchange) -> None:
    exchange.head(content_type="application/json", content_length="100")
    silence(exchange)


def dripping_body(exchange: Exchange) -> None:
    exchange.head(content_type="application/json", content_length="100000")
    exchange.drip(b" " * 3000, PAUSE)
    exchange.hang_up()


def dripping_chunk_size(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.drip(b"0" * 3000, PAUSE)
    exchange.hang_up()


def start_then_silence(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("start", answers.START)
    exchange.event("delta", {"text": "Once"})
    silence(exchange)


def only_pings(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("start", answers.START)
    exchange.event("delta", {"text": "Once"})
    ping = b": ping\n\n"
    exchange.drip((f"{len(ping):x}\r\n".encode() + ping + b"\r\n") * 200, PAUSE)
    exchange.hang_up()


def endless_text(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("start", answers.START)
    while not exchange.stopping.wait(PAUSE):
        exchange.event("delta", {"text": "x"})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("behaviour", "phase"),
    [
        (silence, "answer"),
        (dripping_head, "answer"),
        (head_then_silence, "body"),
        (dripping_body, "body"),
    ],
)
def test_a_call_ends_in_time(kind: Kind, behaviour: Behaviour, phase: str) -> None:
    with serving(behaviour) as server, ends_in_time(phase):
        chat(kind, server.url, timeout=TIMEOUT)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("behaviour", "phase", "pieces"),
    [
        (silence, "answer", []),
        (dripping_head, "answer", []),
        (dripping_chunk_size, "body", []),
        (start_then_silence, "body", ["Once"]),
        (only_pings, "body", ["Once"]),
    ],
)
def test_a_stream_ends_in_time(
    kind: Kind, behaviour: Behaviour, phase: str, pieces: list[str]
) -> None:
    told = Told()
    with serving(behaviour) as server, ends_in_time(phase):
        stream(kind, server.url, told, timeout=TIMEOUT)
    assert told.pieces == pieces


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_never_stops_talking_ends_in_time(kind: Kind) -> None:
    told = Told()
    with serving(endless_text) as server, ends_in_time("body"):
        stream(kind, server.url, told, timeout=TIMEOUT)
    assert len(told.pieces) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_connecting_counts(kind: Kind) -> None:
    """A listener with a full backlog lets nobody in and refuses nobody."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
            with ends_in_time("connect"):
                chat(kind, f"http://127.0.0.1:{port}", timeout=TIMEOUT)
        finally:
            for filler in fillers:
                filler.close()


@pytest.mark.parametrize("kind", KINDS)
def test_sending_counts(kind: Kind) -> None:
    """A server that does not read lets the buffers fill."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ends_in_time("answer"):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        chat(kind, url, "x" * 20_000_000, timeout=TIMEOUT)


@pytest.mark.parametrize("kind", KINDS)
def test_retries_count(kind: Kind) -> None:
    def busy(exchange: Exchange) -> None:
        exchange.answer(answers.error("overloaded"), "503 Busy", retry_after="60")

    start = time.monotonic()
    with serving(busy) as server, pytest.raises(errors.Overloaded) as caught:
        chat(kind, server.url, timeout=TIMEOUT)
    assert time.monotonic() - start < ENOUGH
    assert caught.value.retry_after == 60


@pytest.mark.parametrize("kind", KINDS)
def test_no_limit_is_no_limit(kind: Kind) -> None:
    def hello(exchange: Exchange) -> None:
        exchange.answer(answers.chat("Hi"))

    with serving(hello) as server:
        assert chat(kind, server.url, timeout=None).text == "Hi"
        assert "llmaas-deadline-ms" not in server.requests[0].headers


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_does_not_wait_for_a_server_that_forgets_to_end(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmaas_client.flow.DRAIN_SECONDS", 0.1)

    def forgetful(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.event("start", answers.START)
        exchange.event("done", answers.chat("Hi"))
        silence(exchange)

    told = Told()
    start = time.monotonic()
    with serving(forgetful) as server:
        stream(kind, server.url, told, timeout=None)
    assert told.result is not None
    assert time.monotonic() - start < ENOUGH


def test_a_client_that_was_given_looks_at_the_time_between_reads() -> None:
    with (
        serving(dripping_body) as server,
        httpx.Client() as given,
        Client(server.url, timeout=TIMEOUT, http_client=given) as client,
        ends_in_time("body"),
    ):
        client.chat("x")
