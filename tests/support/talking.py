"""A server that answers chats as a script says, and both clients as one, for tests of sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from llmaas_client import AsyncClient, Client
from support import answers
from support.clients import Kind
from support.http_server import Exchange, HTTPServer, serving

Scripted = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]]
"""A body, `{"error": …}` among them; or what makes one of a request."""


def calls(*wanted: tuple[str, dict[str, Any]], text: str = "") -> dict[str, Any]:
    """An answer in which the model calls tools."""
    called = [
        {"id": f"call_{number}", "name": name, "arguments": arguments}
        for number, (name, arguments) in enumerate(wanted)
    ]
    message = {"role": "assistant", "content": text, "tool_calls": called}
    return answers.HEAD | {"message": message, "finish_reason": "tool_calls"}


@dataclass
class Script:
    """What is answered, in turn; the last answer again and again."""

    answers: list[Scripted]
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, exchange: Exchange) -> None:
        asked = exchange.json
        self.requests.append((exchange.path, asked))
        scripted = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        body = scripted(asked) if callable(scripted) else scripted
        if "error" in body:
            exchange.answer(body, "422 No")
        elif asked.get("stream"):
            exchange.start_stream()
            exchange.event("start", answers.START)
            exchange.event("delta", {"text": body["message"]["content"]})
            exchange.event("done", body)
            exchange.end_stream()
        else:
            exchange.answer(body)

    def chats(self) -> list[dict[str, Any]]:
        """The requests of chats."""
        return [body for path, body in self.requests if path.endswith("/chat")]

    def said(self, number: int = -1) -> list[str]:
        """The contents of the messages of one request."""
        return [message.get("content", "") for message in self.chats()[number]["messages"]]


@dataclass
class Either:
    """A client of one kind; what it gives is awaited where that has to be."""

    client: Any
    runner: asyncio.Runner | None

    def get(self, given: Any) -> Any:
        return given if self.runner is None else self.runner.run(given)

    def streamed(self, stream: Any) -> tuple[str, Any]:
        """The text of a stream, and its result."""
        if self.runner is None:
            with stream as live:
                return "".join(live), live.result
        return self.runner.run(_read(stream))


async def _read(stream: Any) -> tuple[str, Any]:
    async with stream as live:
        return "".join([text async for text in live]), live.result


@contextmanager
def talking(kind: Kind, *scripted: Scripted) -> Iterator[tuple[Either, Script]]:
    """A client of this kind, and what its server was asked."""
    script = Script([*scripted])
    with serving(script) as server, client(kind, server) as either:
        yield either, script


@contextmanager
def client(kind: Kind, server: HTTPServer) -> Iterator[Either]:
    if kind == "sync":
        with Client(server.url, "key") as sync:
            yield Either(sync, None)
        return
    with asyncio.Runner() as runner:
        made = AsyncClient(server.url, "key")
        try:
            yield Either(made, runner)
        finally:
            runner.run(made.close())
