"""Calls, and backends to make them on."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from llmaas_server.backends.replicas import Replicas
from llmaas_server.backends.sharing import Share, Sharing
from llmaas_server.backends.worker import WorkerBackend
from llmaas_server.seam.backend import Backend
from llmaas_server.seam.values import Call, Delta, Event, ModelRef, Result, WorkerOptions

MODEL = ModelRef(name="scripted", path="", kind="decoder")
EMBEDDER = ModelRef(name="embedder", path="", kind="encoder", sentence_embeddings=True)
TESTS = Path(__file__).parent.parent
ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(TESTS)}


def chat(
    text: str,
    *,
    id: str = "c1",
    stream: bool = True,
    deadline_ms: float | None = None,
    **fields: Any,
) -> Call:
    request = {"messages": [{"role": "user", "content": text}], **fields}
    return Call(id, "chat", MODEL, request, stream=stream, deadline_ms=deadline_ms)


def scripted_worker(
    runtime: str = "create", worker: WorkerOptions | None = None, **options: Any
) -> WorkerBackend:
    """A worker whose runtime is one of `support.worker_runtime`."""
    return WorkerBackend(
        worker or WorkerOptions(),
        environment=ENVIRONMENT,
        runtime=f"support.worker_runtime:{runtime}",
        **options,
    )


MACHINE = Sharing(cores=8, memory=8 << 30)


@dataclass(slots=True)
class Team:
    """Replicas of scripted workers, and the workers in the order in which they were made."""

    runtimes: Sequence[str] = ()
    """Of the first workers; those that come later work."""
    workers: list[WorkerBackend] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)

    def replicas(self, count: int = 2, sharing: Sharing = MACHINE) -> Replicas:
        return Replicas(self._make, ["cpu"] * count, sharing)

    def _make(self, device: str, share: Share) -> WorkerBackend:
        made = len(self.workers)
        runtime = self.runtimes[made] if made < len(self.runtimes) else "create"
        self.workers.append(scripted_worker(runtime))
        self.shares.append(share)
        return self.workers[-1]


BackendT = TypeVar("BackendT", bound=Backend)


@asynccontextmanager
async def started(backend: BackendT) -> AsyncIterator[BackendT]:
    await backend.start()
    try:
        yield backend
    finally:
        await backend.stop(0)


async def complete(backend: Backend, call: Call) -> list[Event]:
    """All events of a call."""
    await backend.measure(call)
    return [event async for event in backend.run(call.id)]


async def answer(backend: Backend, call: Call) -> str:
    """The text of a chat."""
    result = (await complete(backend, call))[-1]
    assert isinstance(result, Result)
    return str(result.body["message"]["content"])


async def until_delta(run: AsyncGenerator[Event, None]) -> None:
    """Read up to the first delta."""
    async for event in run:
        if isinstance(event, Delta):
            return


async def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> float:
    """Poll until it holds; how long it took. Fails the test where it does not."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"it did not come true in {seconds} s")
        await asyncio.sleep(0.01)
    return time.monotonic() - started
