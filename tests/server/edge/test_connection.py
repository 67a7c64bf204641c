"""Slow, greedy and broken clients, over real sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from llmaas_server.backends.fake import FakeBackend
from llmaas_server.settings import Settings
from support.front import PATIENCE, Front, eventually, front
from support.sockets import connect, head

SECONDS = 0.3
LIVE = "/health/live"
EMBED = "/v1/tasks/embed"
BODY = b'{"text": "a"}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        backend="fake",
        receive_seconds=SECONDS,
        send_seconds=SECONDS,
        max_header_bytes=4096,
    )
    with front(settings) as running:
        yield running


@pytest.fixture(autouse=True)
def server_lives_on(server: Front) -> Iterator[None]:
    yield
    assert server.http.get(LIVE).status_code == httpx.codes.OK


def with_key(server: Front, *headers: str) -> bytes:
    key = f"authorization: Bearer {server.key}"
    return head(EMBED, key, "content-type: application/json", *headers, method="POST")


def test_head_that_drips(server: Front) -> None:
    began = time.monotonic()
    with connect(server.url) as raw:
        raw.send(head(LIVE)[:-1])
        assert raw.answer().code == "request_timeout"
        assert time.monotonic() - began >= SECONDS
        assert raw.is_closed()


def test_nothing_at_all(server: Front) -> None:
    with connect(server.url) as raw:
        assert raw.answer().code == "request_timeout"
        assert raw.is_closed()


def test_head_that_drips_after_a_good_request(server: Front) -> None:
    with connect(server.url) as raw:
        raw.send(head(LIVE))
        assert raw.answer().status == httpx.codes.OK
        raw.send(head(LIVE)[:-1])
        assert raw.answer().code == "request_timeout"


def test_silence_between_requests_is_no_fault(server: Front) -> None:
    with connect(server.url) as raw:
        raw.send(head(LIVE))
        assert raw.answer().status == httpx.codes.OK
        with connect(server.url) as other:  # which passes more than the time for a head
            other.answer()
        raw.send(head(LIVE))
        assert raw.answer().status == httpx.codes.OK


def test_body_that_drips(server: Front) -> None:
    with connect(server.url) as raw:
        raw.send(with_key(server, "content-length: 13") + BODY[:5])
        assert raw.answer().code == "request_timeout"
        assert raw.is_closed()


def test_body_in_chunks_that_never_ends(server: Front) -> None:
    with connect(server.url) as raw:
        raw.send(with_key(server, "transfer-encoding: chunked") + b"5\r\n" + BODY[:5])
        assert raw.answer().code == "request_timeout"


def test_body_that_is_refused_is_not_awaited_for_ever(server: Front) -> None:
    with connect(server.url) as raw:
        raw.send(head(EMBED, "content-length: 1000000", method="POST"))
        assert raw.answer().code == "missing_key"
        assert raw.is_closed()


def test_body_in_pieces(tmp_path: Path) -> None:
    with front(Settings(home=tmp_path, backend="fake")) as server, connect(server.url) as raw:
        raw.send(with_key(server, "content-length: 13"))
        for byte in BODY:
            raw.send(bytes([byte]))
        assert raw.answer().status == httpx.codes.OK


def test_no_slot_is_held_by_a_slow_body(server: Front, tmp_path: Path) -> None:
    backend = FakeBackend()
    with (
        front(Settings(home=tmp_path, backend="fake", max_queue=1), backend) as running,
        connect(running.url) as slow,
    ):
        slow.send(with_key(running, "content-length: 13") + BODY[:5])
        answer = running.http.post(EMBED, json={"text": "a"})
        assert answer.status_code == httpx.codes.OK


def test_answer_that_nobody_reads(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, backend="fake", send_seconds=SECONDS)
    backend = FakeBackend()
    with front(settings, backend) as running, connect(running.url) as raw:
        long = b'{"text": ["' + b'", "'.join([b"a"] * 1024) + b'"]}'
        request = with_key(running, f"content-length: {len(long)}") + long
        raw.sock.settimeout(PATIENCE)
        raw.send(request * 40)  # one after the other on one connection, and none is read
        eventually(lambda: _is_cut(raw.sock), "the connection is cut")
        eventually(lambda: backend.status().running == 0, "nothing runs")


def _is_cut(sock: object) -> bool:
    try:
        sock.send(b" ")  # type: ignore[attr-defined]
    except (ConnectionError, TimeoutError):
        return True
    return False


def test_many_headers(server: Front) -> None:
    with connect(server.url) as raw:
        raw.send(head(LIVE, *(f"x-{number}: 1" for number in range(101))))
        assert raw.answer().code == "headers_too_large"


@pytest.mark.parametrize("size", [4096, 100_000])
def test_long_headers(server: Front, size: int) -> None:
    with connect(server.url) as raw:
        raw.send(head(LIVE, f"x-long: {'a' * size}"))
        assert raw.answer().code == "headers_too_large"


def test_long_address(server: Front) -> None:
    with connect(server.url) as raw:
        raw.send(head(f"{LIVE}?{'a' * 5000}"))
        assert raw.answer().code == "headers_too_large"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\n\r\n",
        head(LIVE, "content-length: 1", "content-length: 2"),
        head(LIVE, "x y: 1"),
        b"GET /health/live HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    ],
    ids=["TLS", "words", "no host", "two lengths", "a bad header", "two hosts"],
)
def test_not_http(server: Front, request_bytes: bytes) -> None:
    with connect(server.url) as raw:
        raw.send(request_bytes)
        assert raw.answer().code == "malformed_request"
        assert raw.is_closed()


def test_connections_of_one_address(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, backend="fake", max_connections_per_address=8)
    with front(settings) as running, ExitStack() as stack:
        open_ones = [stack.enter_context(connect(running.url)) for _ in range(8)]
        for one in open_ones:
            one.send(head(LIVE))
            assert one.answer().status == httpx.codes.OK
        with connect(running.url) as ninth:
            answer = ninth.answer()
            assert answer.code == "rate_limited"
            assert answer.headers["retry-after"] == "1"
            assert ninth.is_closed()
        open_ones[0].close()
        eventually(lambda: is_served(running), "there is room again")


def is_served(running: Front) -> bool:
    with connect(running.url) as raw:
        try:
            raw.send(head(LIVE))
            return raw.answer().status == httpx.codes.OK
        except ConnectionError:
            return False
