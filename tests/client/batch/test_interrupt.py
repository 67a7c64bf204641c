"""Maps that are stopped: what was done is there, what was under way ends on the server too."""

from __future__ import annotations

import asyncio
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from llmaas_client import AsyncClient, Client, MapCancelled, MapInterrupted
from support import answers
from support.http_server import Exchange, serving

TEXTS = [f"text {n}" for n in range(8)]
DONE = 3


class Stuck:
    """Answers the first requests, and none of those that come after them."""

    def __init__(self, when_stuck: Callable[[], object]) -> None:
        self._when_stuck = when_stuck
        self._lock = threading.Lock()
        self.answered = 0
        self.left = threading.Semaphore(0)
        """One for each request whose caller went away."""

    def answer(self, exchange: Exchange) -> None:
        text = exchange.json["messages"][-1]["content"]
        if int(text.split()[1]) < DONE:
            exchange.answer(answers.chat(text))
            with self._lock:
                self.answered += 1
            return
        with self._lock:
            first, self._when_stuck = self._when_stuck, int
        first()
        if exchange.wait_for_close(10):
            self.left.release()
        exchange.hang_up()


def press_ctrl_c() -> None:
    ident = threading.main_thread().ident
    assert ident is not None
    signal.pthread_kill(ident, signal.SIGINT)


def test_ctrl_c(tmp_path: Path) -> None:
    stuck = Stuck(press_ctrl_c)
    with serving(stuck.answer) as server, Client(server.url) as client:
        with pytest.raises(MapInterrupted) as caught:
            client.chat.map(TEXTS, concurrency=1, checkpoint=tmp_path / "run.jsonl")
        assert stuck.left.acquire(timeout=5), "the server still works for nobody"
        results = caught.value.results
        assert [value.text for value in results] == TEXTS[:DONE]
        assert results.indices == [0, 1, 2]
        assert not results.is_whole
        assert isinstance(caught.value, KeyboardInterrupt)
        assert "3 values" in str(caught.value)
        assert "stopped" in str(caught.value)
        server.handler = lambda exchange: exchange.answer(answers.chat("later"))
        rest = client.chat.map(TEXTS, checkpoint=tmp_path / "run.jsonl")
        assert rest.resumed == DONE
        assert [value.text for value in rest] == [*TEXTS[:DONE], *["later"] * 5]
    again = pickle.loads(pickle.dumps(caught.value))
    assert [value.text for value in again.results] == TEXTS[:DONE]


def test_ctrl_c_while_items_are_handed_out() -> None:
    """What was handed out is the caller's; what was not is in the exception."""
    stuck = Stuck(press_ctrl_c)
    seen: list[object] = []
    with serving(stuck.answer) as server, Client(server.url) as client:
        items = client.chat.imap(["text 5", "text 0", "text 1"], concurrency=3)
        with pytest.raises(MapInterrupted) as caught:
            seen.extend(items)
        assert stuck.left.acquire(timeout=5)
    assert not seen
    assert len(caught.value.results) <= stuck.answered <= 2


def test_ctrl_c_while_a_thread_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """It loses nothing of what was done, and hides behind no other error."""
    stuck = Stuck(lambda: None)
    with serving(stuck.answer) as server, Client(server.url) as client:
        items = client.chat.imap(["text 0", "text 1"], concurrency=1)
        assert next(items).index == 0

        def interrupted(thread: threading.Thread) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(MapInterrupted):
            next(items)


def test_leaving_the_loop_ends_what_is_under_way() -> None:
    is_stuck = threading.Event()
    stuck = Stuck(is_stuck.set)
    with serving(stuck.answer) as server, Client(server.url) as client:
        for item in client.chat.imap(["text 0", "text 5"], concurrency=2):
            assert item.index == 0
            assert is_stuck.wait(10)
            break
        assert stuck.left.acquire(timeout=5)
        assert client.chat("text 0").text == "text 0", "the client is as good as before"


async def test_cancelling() -> None:
    loop = asyncio.get_running_loop()
    is_stuck = asyncio.Event()
    stuck = Stuck(lambda: loop.call_soon_threadsafe(is_stuck.set))
    with serving(stuck.answer) as server:
        async with AsyncClient(server.url) as client:
            caught: list[MapCancelled] = []

            async def work() -> None:
                try:
                    await client.chat.map(TEXTS, concurrency=1)
                except MapCancelled as cancelled:
                    caught.append(cancelled)
                    raise

            task = asyncio.create_task(work())
            await asyncio.wait_for(is_stuck.wait(), 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(stuck.left.acquire, timeout=5)
        assert [value.text for value in caught[0].results] == TEXTS[:DONE]


async def test_leaving_the_async_loop() -> None:
    loop = asyncio.get_running_loop()
    is_stuck = asyncio.Event()
    stuck = Stuck(lambda: loop.call_soon_threadsafe(is_stuck.set))
    with serving(stuck.answer) as server:
        async with AsyncClient(server.url) as client:
            async with aclosing(client.chat.imap(["text 0", "text 5"])) as items:
                async for item in items:
                    assert item.index == 0
                    await asyncio.wait_for(is_stuck.wait(), 10)
                    break
            assert await asyncio.to_thread(stuck.left.acquire, timeout=5)
            assert (await client.chat("text 0")).text == "text 0"


def test_a_source_that_fails() -> None:
    """The error is the source's own; what was done is in it."""

    def source() -> Iterator[str]:
        yield from TEXTS[:2]
        raise ZeroDivisionError

    with (
        serving(lambda exchange: exchange.answer(answers.chat("ok"))) as server,
        Client(server.url) as client,
        pytest.raises(ZeroDivisionError) as caught,
    ):
        client.chat.map(source(), concurrency=1)
    assert [value.text for value in caught.value.results] in (["ok"], ["ok", "ok"])  # type: ignore[attr-defined]
