"""Work at the same time, its outcomes as they come, and nothing left running behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def as_they_end(
    work: Iterable[Coroutine[Any, Any, T]],
) -> AsyncGenerator[tuple[int, T], None]:
    """Start all, yield (index, outcome) of each as it ends.

    The first error ends the rest, as does closing the generator or cancelling its reader: when
    it is closed, nothing of the work runs any more.
    """
    tasks = [asyncio.ensure_future(item) for item in work]
    numbers = {task: index for index, task in enumerate(tasks)}
    pending = set(tasks)
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=numbers.__getitem__):
                yield numbers[task], task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
