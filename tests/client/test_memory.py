"""A client that lives long stays as it is: in memory, in connections, in threads."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmaas_client import Client
from support.http_server import Exchange, serving

TESTS = Path(__file__).parents[1]
WARM = 200
MOST_GROWTH = 4_000_000
"""Bytes over all calls: one answer kept for each of 10 000 would be more."""

_SERVER = """
import socket, sys, threading
sys.path.insert(0, sys.argv[1])
from json import dumps
from support import answers
body = dumps(answers.chat()).encode()
stream = b"".join(
    f"event: {name}\\ndata: {dumps(data)}\\n\\n".encode()
    for name, data in (
        ("start", answers.START), ("delta", {"text": "Hi"}), ("done", answers.chat("Hi"))
    )
)
def head(kind, data):
    return b"HTTP/1.1 200 OK\\r\\ncontent-type: %s\\r\\ncontent-length: %d\\r\\n\\r\\n" % (
        kind, len(data)) + data
whole, pieces = head(b"application/json", body), head(b"text/event-stream", stream)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    while True:
        while b"\\r\\n\\r\\n" not in data or not data.endswith(b"}"):
            piece = connection.recv(65536)
            if not piece:
                return
            data += piece
        connection.sendall(pieces if b'"stream":true' in data else whole)
        data = b""
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


@contextmanager
def bare_server() -> Iterator[str]:
    """A server in a process of its own, so that only the client's memory is measured."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(TESTS)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def streamed(client: Client) -> str:
    with client.chat.stream("x") as live:
        return live.finish().text


CALLS: dict[str, tuple[int, Callable[[Client], object]]] = {
    "calls": (10_000, lambda client: client.chat("x")),
    "streams": (500, streamed),
    "defaults": (500, lambda client: client.using(temperature=0).chat("x")),
    "types": (500, lambda client: client.chat("x", returns=str)),
    "raw": (500, lambda client: client.raw.chat("x")),
}


@pytest.mark.parametrize("name", CALLS)
def test_memory_stays_flat(name: str) -> None:
    count, call = CALLS[name]
    with bare_server() as url, Client(url) as client, client.meter() as meter:
        for _ in range(WARM):
            call(client)
        gc.collect()
        blocks, resident = sys.getallocatedblocks(), resident_bytes()
        for _ in range(count):
            call(client)
        gc.collect()
        # Caches go on filling for a while; a leak is one block for each call at least.
        assert sys.getallocatedblocks() - blocks < count * 3 // 4, "calls leave something behind"
        assert resident_bytes() - resident < MOST_GROWTH
        assert meter.calls == WARM + count


def resident_bytes() -> int:
    """Memory of this process as the system sees it; 0 where it does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_hundred_streams_take_one_connection() -> None:
    from support import answers

    def tell(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.event("start", answers.START)
        exchange.event("delta", {"text": "Hi"})
        exchange.event("done", answers.chat("Hi"))
        exchange.end_stream()

    with serving(tell) as server, Client(server.url) as client:
        assert {streamed(client) for _ in range(100)} == {"Hi"}
        assert server.connections == 1


def test_maps_leave_no_threads_behind() -> None:
    from support.mapping import TaskServer

    with serving(TaskServer().answer) as server, Client(server.url) as client:
        before = threading.active_count()
        for _ in range(5):
            client.chat.map(["x"] * 20)
            assert next(iter(client.chat.imap(["x"] * 20))).ok
        server_threads = server.connections + 2
        assert threading.active_count() <= before + server_threads
