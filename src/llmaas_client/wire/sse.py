"""Server-sent events: encoder and decoder side by side, so that they cannot drift.

The format is that of the HTML standard, section 9.2 (UTF-8, fields `event` and `data`, comments
that begin with a colon, events ended by an empty line).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""A larger event is refused rather than collected."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    event: str
    data: str


def encode(event: str, data: str) -> bytes:
    """One event as bytes. `data` may have line breaks; JSON has none."""
    lines = "".join(f"data: {line}\n" for line in data.split("\n"))
    return f"event: {event}\n{lines}\n".encode()


def data(content: str) -> bytes:
    """One event without a name, of one line."""
    return f"data: {content}\n\n".encode()


PING = b": ping\n\n"
"""A comment that keeps idle connections open; decoders drop it."""


class Decoder:
    """Bytes in, in pieces cut anywhere; whole events out. Holds no connection."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")()
        self._buffer = ""
        self._event = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Yield the events that `chunk` completes. Raises ValueError for one that is too large."""
        self._buffer += self._utf8.decode(chunk)
        while (line := self._take_line()) is not None:
            if line == "":
                yield from self._dispatch()
            else:
                self._field(line)
        if len(self._buffer) + self._size > MAX_EVENT_BYTES:
            raise ValueError(f"an event is larger than {MAX_EVENT_BYTES} bytes")

    def _take_line(self) -> str | None:
        """A line ends with LF, CR or CRLF; a CR at the very end waits for what follows it."""
        ends = [i for i in (self._buffer.find("\n"), self._buffer.find("\r")) if i >= 0]
        if not ends:
            return None
        end = min(ends)
        is_cr = self._buffer[end] == "\r"
        if is_cr and end + 1 == len(self._buffer):
            return None
        line = self._buffer[:end]
        skip = 2 if is_cr and self._buffer[end + 1] == "\n" else 1
        self._buffer = self._buffer[end + skip :]
        return line

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
            self._size += len(value)

    def _dispatch(self) -> Iterator[ServerSentEvent]:
        if self._data:
            yield ServerSentEvent(self._event or "message", "\n".join(self._data))
        self._event, self._data, self._size = "", [], 0
