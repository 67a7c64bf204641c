"""What tests of the engine share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llmaas_server.runtime.engine import Engine
from llmaas_server.seam.values import WorkerOptions

PATIENCE = 20.0
"""Seconds until something that should happen will not."""

OPTIONS = WorkerOptions(device="cpu", threads=1, dtype="float32", max_step_tokens=32)


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again: what happens in the engine's threads sets no event."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def idle(engine: Engine) -> Callable[[], bool]:
    return lambda: not engine.busy
