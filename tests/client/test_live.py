"""Streams that are shown while they come."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from llmaas_client import AsyncClient, Client, Stream, StreamInterrupted, notebook
from support import answers
from support.clients import KINDS, Kind
from support.http_server import Exchange, serving


def telling(*texts: str, after: Callable[[Exchange], None] | None = None) -> Any:
    """A server that streams these texts, and then does something else than end well."""

    def tell(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.event("start", answers.START)
        for text in texts:
            exchange.event("delta", {"text": text})
        if after is not None:
            after(exchange)
            return
        exchange.event("done", answers.chat("".join(texts)))
        exchange.end_stream()

    return tell


def show(kind: Kind, url: str) -> str:
    if kind == "sync":
        with Client(url) as client, client.chat.stream("x") as stream:
            return stream.show().text

    async def main() -> str:
        async with AsyncClient(url) as client, client.chat.stream("x") as stream:
            return (await stream.show()).text

    return asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_text_as_it_comes(kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(telling("Once ", "upon\x1b[2J")) as server:
        assert show(kind, server.url) == "Once upon\x1b[2J"
    assert capsys.readouterr().out == "Once upon\x1b[2J\n"


def test_a_terminal_is_not_steered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with serving(telling("Once ", "upon\x1b[2J")) as server:
        show("sync", server.url)
    assert capsys.readouterr().out == "Once upon[2J\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_is_cut_says_so(kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        serving(telling("Once ", after=Exchange.hang_up)) as server,
        pytest.raises(StreamInterrupted),
    ):
        show(kind, server.url)
    assert capsys.readouterr().out == "Once  (interrupted)\n"


def test_ctrl_c_ends_the_work_on_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    is_gone = threading.Event()
    shown: list[Stream[Any]] = []

    def interrupt(exchange: Exchange) -> None:
        pause, end = threading.Event(), time.monotonic() + 10
        while not (shown and shown[0].text) and time.monotonic() < end:
            pause.wait(0.005)
        ident = threading.main_thread().ident
        assert ident is not None
        signal.pthread_kill(ident, signal.SIGINT)
        if exchange.wait_for_close(10):
            is_gone.set()
        exchange.hang_up()

    def show_it(stream: Stream[Any]) -> None:
        shown.append(stream)
        stream.show()

    with serving(telling("Once ", after=interrupt)) as server, Client(server.url) as client:
        with client.chat.stream("x") as stream:
            with pytest.raises(KeyboardInterrupt):
                show_it(stream)
            assert is_gone.wait(5)
            assert stream.text == "Once "
        server.handler = telling("Again")
        with client.chat.stream("x") as stream:
            assert stream.show().text == "Again", "the client is as good as before"
    assert capsys.readouterr().out == "Once  (stopped)\nAgain\n"


class Spot:
    """What a notebook would show, in its order."""

    pictures: list[str]

    def __init__(self, now: Callable[[], float]) -> None:
        type(self).pictures = []

    def draw(self, html: Callable[[], str], *, at_once: bool = False) -> None:
        self.pictures.append(html())


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_notebook_it_is_one_bubble_that_grows(
    kind: Kind, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notebook, "in_notebook", lambda: True)
    monkeypatch.setattr(notebook, "Spot", Spot)
    with serving(telling("<b>Once", " upon")) as server:
        show(kind, server.url)
    assert [picture.count("&lt;b&gt;Once") for picture in Spot.pictures] == [1, 1, 1]
    assert [" upon" in picture for picture in Spot.pictures] == [False, True, True]
    assert capsys.readouterr().out == ""


def test_pictures_are_not_drawn_more_often_than_eyes_see() -> None:
    drawn: list[str] = []

    class Handle:
        def update(self, picture: str) -> None:
            drawn.append(picture)

    now = [0.0]
    spot = notebook.Spot(lambda: now[0])
    spot._handle = Handle()
    spot._make = str  # type: ignore[assignment]
    for at in range(10):
        now[0] = at * notebook.PAUSE_SECONDS / 5
        spot.draw(lambda at=at: str(at))  # type: ignore[misc]
    spot.draw(lambda: "last", at_once=True)
    assert drawn == ["0", "5", "last"]
