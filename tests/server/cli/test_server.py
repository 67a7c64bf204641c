"""When the server says that it is ready, and what it does where it never will be."""

from __future__ import annotations

import asyncio
import socket

import pytest
from starlette.applications import Starlette

from llmaas_server.backends.fake import FakeBackend
from llmaas_server.cli.server import Server
from llmaas_server.edge.bounds import Bounds
from llmaas_server.errors import Problem


class Slow(FakeBackend):
    """Ready when a test says so, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = asyncio.Event()
        self.problem: Problem | None = None

    async def ready(self) -> None:
        await self.turn.wait()
        if self.problem is not None:
            raise self.problem


class Said:
    """What the server said, in order."""

    def __init__(self, backend: Slow) -> None:
        self.words: list[str] = []
        self.listening, self.ready = asyncio.Event(), asyncio.Event()
        self.server = Server(
            Starlette(),
            backend,
            grace_seconds=0.1,
            bounds=Bounds(),
            on_listening=self.listening.set,
            on_ready=self.ready.set,
        )

    async def serve(self) -> None:
        await self.server.serve([socket.create_server(("127.0.0.1", 0))])


@pytest.fixture
def backend() -> Slow:
    return Slow()


async def test_ready_is_said_when_the_backend_is(backend: Slow) -> None:
    said = Said(backend)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(said.serve())
        await said.listening.wait()
        assert not said.ready.is_set()
        backend.turn.set()
        await said.ready.wait()
        said.server.should_exit = True
    assert said.server.failure is None


async def test_a_backend_that_cannot_start_ends_the_server(backend: Slow) -> None:
    said = Said(backend)
    backend.problem = Problem("starting", "no such device")
    backend.turn.set()
    async with asyncio.timeout(10):
        await said.serve()
    assert said.server.failure is backend.problem
    assert not said.ready.is_set()


async def test_a_server_that_is_ended_before_it_is_ready_ends_well(backend: Slow) -> None:
    said = Said(backend)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(said.serve())
        await said.listening.wait()
        said.server.should_exit = True
    assert said.server.failure is None
    assert not said.ready.is_set()
