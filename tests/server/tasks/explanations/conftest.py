"""A real engine of one thread: the rows of explanations are short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from llmaas_server.runtime.engine import Engine, create
from llmaas_server.seam.values import WorkerOptions


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    options = WorkerOptions(device="cpu", threads=1, dtype="float32")
    engine = await asyncio.to_thread(create, options)
    yield engine
    await asyncio.to_thread(engine.close)
