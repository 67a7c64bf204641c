"""One end of the connection between the front and a worker: frames out, frames in."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Generic

from .frames import FrameReader, FrameT, FrontFrame, WorkerFrame, encode

_READ_BYTES = 1024 * 1024


class Channel(Generic[FrameT]):
    """Frames over a connected stream socket, which the channel owns. Build it with `open`."""

    def __init__(
        self,
        stream: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        reader: FrameReader[FrameT],
    ) -> None:
        self._stream = stream
        self._writer = writer
        self._reader = reader
        self._received: deque[FrameT] = deque()

    @classmethod
    async def open(cls, connected: socket.socket, reader: FrameReader[FrameT]) -> Channel[FrameT]:
        stream, writer = await asyncio.open_connection(sock=connected, limit=_READ_BYTES)
        return cls(stream, writer, reader)

    def send(self, frame: FrontFrame | WorkerFrame) -> None:
        """Send without waiting; nothing happens where the other end is gone.

        Raises FrameError where the frame cannot be encoded: then nothing of it was sent.
        """
        data = encode(frame)
        if not self._writer.is_closing():
            self._writer.write(data)

    async def drain(self) -> None:
        """Wait while the other end reads more slowly than we send; returns too when it is gone."""
        try:
            await self._writer.drain()
        except ConnectionError:
            return

    async def receive(self) -> FrameT | None:
        """The next frame; None when the other end has closed. A cancelled wait loses nothing.

        Raises FrameError.
        """
        while not self._received:
            try:
                chunk = await self._stream.read(_READ_BYTES)
            except ConnectionError:
                return None  # A peer that was killed may end the connection by a reset.
            if not chunk:
                self._reader.finish()
                return None
            self._received.extend(self._reader.feed(chunk))
        return self._received.popleft()

    def close(self) -> None:
        """Send what is waiting, then close; `receive` gives None from then on."""
        self._writer.close()

    async def wait_closed(self) -> None:
        """Wait until the socket is closed; as long as the other end reads nothing, that lasts."""
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
