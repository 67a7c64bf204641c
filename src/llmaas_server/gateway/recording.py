"""An answer as it grows: one who writes, any number who read it from its beginning."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable


class Recording:
    """The pieces of one answer. Readers share them; where the last one leaves, it is abandoned."""

    def __init__(self, abandon: Callable[[], None]) -> None:
        """`abandon` is called when nobody reads any more and the answer is not at its end."""
        self._abandon = abandon
        self._pieces: list[bytes] = []
        self._ended = False
        self._error: Exception | None = None
        self._readers = 0
        self._news = asyncio.Event()

    @property
    def pieces(self) -> tuple[bytes, ...]:
        return tuple(self._pieces)

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._tell()

    def end(self, error: Exception | None = None) -> None:
        """No more pieces come; readers get the error, where there is one, after the pieces."""
        if not self._ended:
            self._ended, self._error = True, error
            self._tell()

    async def read(self) -> AsyncGenerator[bytes]:
        """All pieces, the past ones at once and the coming ones as they come."""
        self._readers += 1
        position = 0
        try:
            while position < len(self._pieces) or not self._ended:
                if position < len(self._pieces):
                    position += 1
                    yield self._pieces[position - 1]
                else:
                    await self._news.wait()
            if self._error is not None:
                raise self._error
        finally:
            self._readers -= 1
            if not self._readers and not self._ended:
                self._abandon()

    def _tell(self) -> None:
        """Wake those who wait; later ones wait for the next news."""
        self._news.set()
        self._news = asyncio.Event()
