"""A client that sends what it likes, byte by byte."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from llmaas_client.wire.errors import ERRORS, ErrorBody

from .front import PATIENCE


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """Of the error that it is, which must be whole."""
        error = ErrorBody.model_validate_json(self.body).error
        assert self.status == ERRORS[error.code].status
        assert self.headers["x-request-id"] == error.request_id
        return error.code


class Raw:
    """One connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._file = sock.makefile("rb")

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self) -> Answer:
        """The next response; waits for it. Raises ConnectionError where the connection ends."""
        first = self._file.readline()
        if not first:
            raise ConnectionResetError("the connection ended without an answer")
        status = int(first.split()[1])
        headers = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Answer(status, headers, self._file.read(int(headers["content-length"])))

    def is_closed(self) -> bool:
        """Waits for the end: whether the other side ends the connection, after no further byte."""
        try:
            return self._file.read(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self._file.close()
        self.sock.close()


@contextmanager
def connect(url: str, context: ssl.SSLContext | None = None) -> Iterator[Raw]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    sock = socket.create_connection((parts.hostname, parts.port), PATIENCE)
    if context is not None:
        sock = context.wrap_socket(sock, server_hostname=parts.hostname)
    raw = Raw(sock)
    try:
        yield raw
    finally:
        raw.close()


def head(path: str, *headers: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: localhost", *headers, "", ""]
    return "\r\n".join(lines).encode()
