"""Streams over real sockets: pieces as they come, cuts, early leave, connections that live on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from llmaas_client import AsyncClient, Client, Delta, Progress, Start, errors
from support import answers
from support.clients import KINDS, Kind, Told, stream
from support.http_server import Exchange, serving

PIECES = ["Hel", "lo", " 👋", "\n", " 二"]


def speak(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("start", answers.START)
    for piece in PIECES:
        exchange.event("delta", {"text": piece})
    exchange.event("done", answers.chat("".join(PIECES)))
    exchange.end_stream()


@pytest.mark.parametrize("kind", KINDS)
def test_tells_pieces_and_then_the_result(kind: Kind) -> None:
    told = Told()
    with serving(speak) as server:
        stream(kind, server.url, told)
    assert told.pieces == PIECES
    assert told.result is not None
    assert told.result.text == "".join(PIECES)
    assert told.result.usage.completion_tokens == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_piece_is_told_before_the_next_is_made(kind: Kind) -> None:
    """The server says the next piece only when the test has seen the one before."""
    seen = threading.Semaphore(0)

    def wait_for_reader(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.event("start", answers.START)
        for piece in PIECES:
            exchange.event("delta", {"text": piece})
            assert seen.acquire(timeout=10)
        exchange.event("done", answers.chat())
        exchange.end_stream()

    class Heard(list[str]):
        def append(self, piece: str) -> None:
            super().append(piece)
            seen.release()

    told = Told(pieces=Heard())
    with serving(wait_for_reader) as server:
        stream(kind, server.url, told)
    assert told.pieces == PIECES


def byte_by_byte(exchange: Exchange) -> None:
    exchange.start_stream()
    data = b'event: start\r\ndata: {"id": "r", "model": "m", "prompt_tokens": 1}\r\n\r\n'
    data += 'event: delta\r\ndata: {"text": "👋 二"}\r\n\r\n'.encode()
    for byte in data:
        exchange.chunk(bytes([byte]))
    exchange.event("done", answers.chat())
    exchange.end_stream()


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_may_come_one_by_one(kind: Kind) -> None:
    told = Told()
    with serving(byte_by_byte) as server:
        stream(kind, server.url, told)
    assert told.pieces == ["👋 二"]


def cut_by_closing(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("start", answers.START)
    exchange.event("delta", {"text": "Once"})
    exchange.hang_up()


def cut_by_ending(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("start", answers.START)
    exchange.event("delta", {"text": "Once"})
    exchange.end_stream()


def cut_in_an_event(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("start", answers.START)
    exchange.event("delta", {"text": "Once"})
    exchange.chunk(b'event: done\ndata: {"id": ')
    exchange.end_stream()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [cut_by_closing, cut_by_ending, cut_in_an_event])
def test_a_cut_is_an_error_and_keeps_what_came(kind: Kind, cut: Callable[[Exchange], None]) -> None:
    told = Told()
    with serving(cut) as server:
        with pytest.raises(errors.StreamInterrupted) as caught:
            stream(kind, server.url, told)
        assert len(server.requests) == 1
    assert caught.value.partial == "Once"
    assert told.pieces == ["Once"]
    assert told.result is None


@pytest.mark.parametrize("kind", KINDS)
def test_leaving_early_closes_the_socket_at_once(kind: Kind) -> None:
    closed = threading.Event()

    def endless(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.event("start", answers.START)
        exchange.event("delta", {"text": "Once"})
        if exchange.wait_for_close():
            closed.set()
        exchange.hang_up()

    told = Told()
    with serving(endless) as server:
        # The client is open still: what closes the socket is leaving the stream.
        stream(
            kind,
            server.url,
            told,
            leave_after=1,
            when_left=lambda: told.pieces.append(str(closed.wait(5))),
        )
    assert told.pieces == ["Once", "True"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_streams_use_one_connection(kind: Kind) -> None:
    with serving(speak) as server:
        if kind == "sync":
            with Client(server.url) as client:
                for _ in range(100):
                    with client.chat.stream("x") as live:
                        assert live.finish().text == "".join(PIECES)
        else:

            async def main() -> None:
                async with AsyncClient(server.url) as client:
                    for _ in range(100):
                        async with client.chat.stream("x") as live:
                            assert (await live.finish()).text == "".join(PIECES)

            asyncio.run(main())
        assert (server.connections, len(server.requests)) == (1, 100)


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_is_raised_on_entering(kind: Kind) -> None:
    def refuse(exchange: Exchange) -> None:
        exchange.answer(answers.error("model_not_found"), "404 Not Found")

    with serving(refuse) as server, pytest.raises(errors.ModelNotFound):
        stream(kind, server.url, Told())


@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_worker_is_tried_again_before_the_first_event(kind: Kind) -> None:
    def lose_one(exchange: Exchange) -> None:
        if exchange.number > 1:
            return speak(exchange)
        exchange.start_stream()
        exchange.event("error", answers.error("worker_lost", retry_after=0.0))
        exchange.end_stream()
        return None

    told = Told()
    with serving(lose_one) as server:
        stream(kind, server.url, told)
        first, second = server.requests
    assert told.pieces == PIECES
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_worker_is_an_error_after_the_first_event(kind: Kind) -> None:
    def lose(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.event("start", answers.START)
        exchange.event("delta", {"text": "Once"})
        exchange.event("error", answers.error("worker_lost"))
        exchange.end_stream()

    told = Told()
    with serving(lose) as server, pytest.raises(errors.WorkerLost):
        stream(kind, server.url, told)
    assert told.pieces == ["Once"]


def progress(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("start", answers.START)
    exchange.event("progress", {"stage": "reading", "done": 1, "total": 2})
    exchange.event("delta", {"text": "Short."})
    exchange.event("done", answers.summarize())
    exchange.end_stream()


EVENTS = [
    Start(id="req-1", model="tiny", prompt_tokens=5),
    Progress(stage="reading", done=1, total=2),
    Delta(text="Short."),
]


def test_events_are_typed() -> None:
    with serving(progress) as server, Client(server.url) as client:
        with client.summarize.stream("Long text.") as live:
            assert live.request_id == "req-1"
            with pytest.raises(RuntimeError, match="not at its end"):
                _ = live.result
            assert list(live.events()) == EVENTS
            assert list(live.events()) == []
        assert live.text == "Short."
        assert live.result.coverage == 1.0
        assert live.finish() is live.result


async def test_async_events_are_typed() -> None:
    with serving(progress) as server:
        async with AsyncClient(server.url) as client:
            async with client.summarize.stream("Long text.") as live:
                assert live.request_id == "req-1"
                assert [event async for event in live.events()] == EVENTS
                assert [event async for event in live.events()] == []
            assert live.result.coverage == 1.0


def test_a_stream_is_entered_once_and_not_read_outside() -> None:
    with serving(speak) as server, Client(server.url) as client:
        live = client.chat.stream("x")
        with pytest.raises(RuntimeError, match="context manager"):
            next(iter(live))
        with live:
            pass
        with pytest.raises(RuntimeError, match="before its end"):
            list(live)
        with pytest.raises(RuntimeError, match="entered once"), live:
            pass
        live.close()


async def test_an_async_stream_is_entered_once_and_not_read_outside() -> None:
    with serving(speak) as server:
        async with AsyncClient(server.url) as client:
            live = client.chat.stream("x")
            with pytest.raises(RuntimeError, match="context manager"):
                await anext(aiter(live))
            async with live:
                pass
            with pytest.raises(RuntimeError, match="before its end"):
                await live.finish()
            with pytest.raises(RuntimeError, match="entered once"):
                async with live:
                    pass


async def test_cancelling_closes_the_socket() -> None:
    closed = threading.Event()

    def silent(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.event("start", answers.START)
        if exchange.wait_for_close():
            closed.set()
        exchange.hang_up()

    with serving(silent) as server:
        async with AsyncClient(server.url) as client:
            entered = asyncio.Event()

            async def read() -> None:
                async with client.chat.stream("x") as live:
                    entered.set()
                    await live.finish()

            task = asyncio.create_task(read())
            await entered.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(closed.wait, 5)
