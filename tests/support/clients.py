"""The same call through both clients, so that one test holds for both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from llmaas_client import AsyncClient, Client
from llmaas_client.clock import Clock
from llmaas_client.wire.chat import ChatResult

Kind = Literal["sync", "async"]
KINDS: tuple[Kind, ...] = ("sync", "async")


class StillClock(Clock):
    """A clock that moves only when somebody sleeps, and remembers how long."""

    def __init__(self, luck: float = 1.0, wall: float = 1_700_000_000.0) -> None:
        self.time = 1000.0
        self.luck = luck
        self.date = wall
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.date

    def random(self) -> float:
        return self.luck

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


def chat(
    kind: Kind, url: str, text: str = "Hello", *, calls: int = 1, **options: Any
) -> ChatResult:
    """The last result of `calls` chats over one client."""
    if kind == "sync":
        with Client(url, **options) as client:
            return [client.chat(text) for _ in range(calls)][-1]

    async def main() -> ChatResult:
        async with AsyncClient(url, **options) as client:
            return [await client.chat(text) for _ in range(calls)][-1]

    return asyncio.run(main())


@dataclass
class Told:
    """What a stream has told."""

    pieces: list[str] = field(default_factory=list)
    result: ChatResult | None = None


def stream(
    kind: Kind,
    url: str,
    told: Told,
    *,
    leave_after: int | None = None,
    when_left: Callable[[], None] = lambda: None,
    **options: Any,
) -> None:
    """Read a chat stream into `told`; leave it after some pieces. `when_left` runs before the
    client is closed."""
    if kind == "sync":
        with Client(url, **options) as client:
            with client.chat.stream("Hello") as live:
                for piece in live:
                    told.pieces.append(piece)
                    if len(told.pieces) == leave_after:
                        break
                else:
                    told.result = live.result
            when_left()
        return

    async def main() -> None:
        async with AsyncClient(url, **options) as client:
            async with client.chat.stream("Hello") as live:
                async for piece in live:
                    told.pieces.append(piece)
                    if len(told.pieces) == leave_after:
                        break
                else:
                    told.result = live.result
            await asyncio.to_thread(when_left)

    asyncio.run(main())
