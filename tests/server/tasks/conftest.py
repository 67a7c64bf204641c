"""A real engine for the tests that compute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from llmaas_server.runtime.engine import Engine, create
from llmaas_server.seam.values import WorkerOptions


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = await asyncio.to_thread(create, WorkerOptions(device="cpu", dtype="float32"))
    yield engine
    await asyncio.to_thread(engine.close)
