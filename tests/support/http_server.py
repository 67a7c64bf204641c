"""A small HTTP/1.1 server on a real socket that does exactly what a test says, byte by byte.

Tests of streams, timeouts and dropped connections need a server that misbehaves on purpose; a real
one is too polite. Each connection has a thread; the test's handler gets an `Exchange` per request.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Handler = Callable[["Exchange"], None]


@dataclass
class Exchange:
    """One request, and the means to answer it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: socket.socket
    stopping: threading.Event
    number: int
    """Of the request, from 1, over all connections."""
    keep_alive: bool = field(default=True, init=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(self, status: str = "200 OK", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def answer(self, body: Any, status: str = "200 OK", **headers: str) -> None:
        """A whole response with a JSON body."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content_type": "application/json"} | headers
        self.head(status, content_length=str(len(data)), **headers)
        self.send(data)

    def start_stream(self) -> None:
        self.head(content_type="text/event-stream", transfer_encoding="chunked")

    def chunk(self, data: bytes) -> None:
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def event(self, name: str, data: Any) -> None:
        self.chunk(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())

    def end_stream(self) -> None:
        self.send(b"0\r\n\r\n")

    def hang_up(self) -> None:
        """Close the connection after this, whatever was promised."""
        self.keep_alive = False

    def wait_for_close(self, seconds: float = 5.0) -> bool:
        """Whether the other side closes the connection within so many seconds."""
        self.connection.settimeout(seconds)
        try:
            return self.connection.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def drip(self, data: bytes, pause: float) -> None:
        """Send one byte after the other until the other side has had enough."""
        for byte in data:
            if self.stopping.wait(pause):
                return
            try:
                self.send(bytes([byte]))
            except OSError:
                return


class HTTPServer:
    """Listens on a free port of loopback; use as a context manager."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[Exchange] = []
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> HTTPServer:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            _shut(connection)
        for thread in self._threads:
            thread.join(timeout=10)
            assert not thread.is_alive(), "a handler of the test server does not end"
        self._socket.close()

    def _spawn(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while self._one(connection):
                    pass
            except OSError:
                pass  # the client is gone, which many tests want
            finally:
                with self._lock:
                    self._open.discard(connection)

    def _one(self, connection: socket.socket) -> bool:
        connection.settimeout(None)
        exchange = self._read(connection)
        if exchange is None:
            return False
        self.handler(exchange)
        return exchange.keep_alive and not self._stopping.is_set()

    def _read(self, connection: socket.socket) -> Exchange | None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        while len(body) < int(headers.get("content-length", "0")):
            piece = connection.recv(65536)
            if not piece:
                return None
            body += piece
        with self._lock:
            exchange = Exchange(
                method, path, headers, body, connection, self._stopping, len(self.requests) + 1
            )
            self.requests.append(exchange)
        return exchange


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # closed already by its own thread
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(handler: Handler) -> Iterator[HTTPServer]:
    with HTTPServer(handler) as server:
        yield server
