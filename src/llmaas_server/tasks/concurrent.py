"""Work at the same time, its outcomes as they come, and nothing left running behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from contextlib import aclosing
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


async def interleaved(
    sources: Sequence[AsyncGenerator[T, None]],
) -> AsyncGenerator[tuple[int, T], None]:
    """What all sources yield, as it comes, each with the index of its source.

    The first error ends the rest, as does closing the generator or cancelling its reader: when
    it is closed, all sources are.
    """
    news: asyncio.Queue[tuple[int, T] | asyncio.Task[None]] = asyncio.Queue()

    async def read(index: int, source: AsyncGenerator[T, None]) -> None:
        async with aclosing(source):
            async for item in source:
                news.put_nowait((index, item))

    tasks = [asyncio.create_task(read(index, source)) for index, source in enumerate(sources)]
    for task in tasks:
        task.add_done_callback(news.put_nowait)
    left = len(tasks)
    try:
        while left:
            item = await news.get()
            if isinstance(item, asyncio.Task):
                item.result()
                left -= 1
            else:
                yield item
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
