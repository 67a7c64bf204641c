from __future__ import annotations

import pytest

from llmaas_client.wire import sse
from llmaas_client.wire.sse import Decoder, ServerSentEvent


def read(*chunks: bytes) -> list[tuple[str, str]]:
    decoder = Decoder()
    return [(event.event, event.data) for chunk in chunks for event in decoder.feed(chunk)]


STREAM = "event: start\ndata: {}\n\n: ping\n\nevent: delta\ndata: héllo 👋\ndata: 二\n\n"
EVENTS = [("start", "{}"), ("delta", "héllo 👋\n二")]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1000])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_reads_any_line_end_cut_anywhere(end: str, size: int, mark: bytes) -> None:
    data = mark + STREAM.replace("\n", end).encode()
    # A lone CR at the very end may be half of a CRLF: only what follows can tell.
    data += b":" if end == "\r" else b""
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    assert read(*chunks) == EVENTS


def test_reads_every_cut_in_two() -> None:
    data = STREAM.replace("\n", "\r\n").encode()
    for cut in range(len(data)):
        assert read(data[:cut], data[cut:]) == EVENTS


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("data: x\n\n", [("message", "x")]),
        ("data:x\n\n", [("message", "x")]),
        ("data:  x\n\n", [("message", " x")]),
        ("data\n\n", [("message", "")]),
        ("event: empty\n\n", []),
        (": only a comment\n\n", []),
        ("id: 7\nretry: 10\ndata: x\n\n", [("message", "x")]),
        ("event: a\nevent: b\ndata: x\n\n", [("b", "x")]),
        ("event: a\n\ndata: x\n\n", [("message", "x")]),
        ("data: x\n", []),
        ("data: a: b\n\n", [("message", "a: b")]),
    ],
)
def test_follows_the_standard(text: str, events: list[tuple[str, str]]) -> None:
    assert read(text.encode()) == events


@pytest.mark.parametrize("data", ["", "x", '{"a": 1}', "two\nlines", "ends with\n", "二 👋"])
def test_decodes_what_it_encodes(data: str) -> None:
    assert list(Decoder().feed(sse.encode("delta", data))) == [ServerSentEvent("delta", data)]


def test_ping_is_nothing() -> None:
    assert read(sse.PING, sse.PING, sse.encode("a", "b")) == [("a", "b")]


@pytest.mark.parametrize("prefix", [b"data: ", b"data: x\ndata: "])
def test_refuses_an_event_that_is_too_large(prefix: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1000)
    with pytest.raises(ValueError, match="larger than 1000 bytes"):
        read(prefix, *[b"x" * 100] * 11)


def test_many_small_events_are_not_one_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1000)
    event = sse.encode("delta", "x" * 100)
    assert len(read(*[event] * 50)) == 50


def test_invalid_utf8_is_an_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        read(b"data: \xff\n\n")
