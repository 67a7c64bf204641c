"""Maps through both clients, and a server for them that remembers what it was given."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from llmaas_client import AsyncClient, Client
from llmaas_client.batch.items import MapItem, MapResult
from support import answers
from support.clients import Kind
from support.http_server import Exchange

Refuse = Callable[["Exchange", int], bool]
"""Whether it answered a request by itself; the number says how many came before, from 1."""


@dataclass
class TaskServer:
    """Use its `answer` as the handler of a test server."""

    refuse: Refuse = lambda exchange, number: False
    wait: Callable[[list[str]], None] = lambda texts: None
    queue_ms: float = 0.0
    texts: list[str] = field(default_factory=list)
    """All that it worked on, in the order of their coming."""
    requests: int = 0
    at_once: int = 0
    most_at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, exchange: Exchange) -> None:
        with self._lock:
            self.requests += 1
            number = self.requests
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if not self.refuse(exchange, number):
                texts = texts_of(exchange)
                self.wait(texts)
                with self._lock:
                    self.texts += texts
                exchange.answer(self._result(exchange, texts))
        finally:
            with self._lock:
                self.at_once -= 1

    def _result(self, exchange: Exchange, texts: list[str]) -> dict[str, Any]:
        timing = answers.HEAD["timing"] | {"queue_ms": self.queue_ms, "total_ms": self.queue_ms + 1}
        match exchange.path.rpartition("/")[2]:
            case "classify":
                body = answers.classify() | {"results": [_judged(text) for text in texts]}
            case "embed":
                body = answers.embed() | {"embeddings": [[float(len(text))] for text in texts]}
            case "summarize":
                body = answers.summarize(f"Short {texts[0]}.")
            case _:
                body = answers.chat(f"You said {texts[0]}")
        return body | {"timing": timing, "cost": "0.001"}


def _judged(text: str) -> dict[str, Any]:
    label = "positive" if "good" in text else "negative"
    result: dict[str, Any] = answers.classify(label)["results"][0]
    return result


def texts_of(exchange: Exchange) -> list[str]:
    """The inputs of a request."""
    body = exchange.json
    if "messages" in body:
        return [body["messages"][-1]["content"]]
    text = body["text"]
    return [text] if isinstance(text, str) else text


def refusal(exchange: Exchange, code: Any, status: str = "503 Busy", **more: Any) -> bool:
    """Answer with an error."""
    headers = {"retry_after": str(more.pop("after"))} if "after" in more else {}
    exchange.answer(answers.error(code, **more), status, **headers)
    return True


def run_map(kind: Kind, url: str, task: str, inputs: Any, **arguments: Any) -> MapResult[Any]:
    """`client.task.map(inputs)` through the client of this kind."""
    options: dict[str, Any] = arguments.pop("client", {})
    if kind == "sync":
        with Client(url, **options) as client:
            result: MapResult[Any] = getattr(client, task).map(inputs, **arguments)
            return result

    async def main() -> MapResult[Any]:
        async with AsyncClient(url, **options) as client:
            result: MapResult[Any] = await getattr(client, task).map(inputs, **arguments)
            return result

    return asyncio.run(main())


def run_imap(kind: Kind, url: str, task: str, inputs: Any, **arguments: Any) -> list[MapItem[Any]]:
    if kind == "sync":
        with Client(url) as client:
            return list(getattr(client, task).imap(inputs, **arguments))

    async def main() -> list[MapItem[Any]]:
        async with AsyncClient(url) as client:
            return [item async for item in getattr(client, task).imap(inputs, **arguments)]

    return asyncio.run(main())
