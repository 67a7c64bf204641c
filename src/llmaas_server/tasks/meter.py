"""What a call used, added up while its parts end in any order."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import Any, TypeVar

from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.request import Finished, Generation, Token
from llmaas_server.seam.values import Result, Timing, Usage

T = TypeVar("T")


class Meter:
    """Starts with the call. Times of parts that ran at once add up, as their tokens do."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._prompt = self._cached = self._completion = 0
        self._queue = self._prefill = self._decode = 0.0

    async def encode(self, tokens: int, work: Awaitable[T]) -> T:
        """Await work that reads `tokens` and generates none."""
        started = time.perf_counter()
        outcome = await work
        self._prefill += time.perf_counter() - started
        self._prompt += tokens
        return outcome

    async def generate(
        self, runtime: Runtime, model: Model, generation: Generation, *, shares: bool = False
    ) -> AsyncGenerator[Token | Finished, None]:
        """`runtime.generate`, counted also where the reader closes it before its end.

        `shares`: its prompt is that of another one, and counted there.
        """
        started = time.perf_counter()
        first: float | None = None
        tokens = 0
        finished: Finished | None = None
        async with aclosing(runtime.generate(model, generation)) as stream:
            try:
                async for item in stream:
                    if isinstance(item, Finished):
                        finished = item
                    else:
                        tokens += 1
                        first = first or time.perf_counter()
                    yield item
            finally:
                if finished is not None:
                    self._finished(finished, shares)
                else:
                    self._prompt += 0 if shares else len(generation.prompt)
                    self._completion += tokens
                    now = time.perf_counter()
                    self._prefill += (first or now) - started
                    self._decode += now - (first or now)

    def _finished(self, item: Finished, shares: bool) -> None:
        if not shares:
            self._prompt += item.prompt_tokens
            self._cached += item.cached_tokens
        self._completion += item.completion_tokens
        self._queue += item.queue_s
        self._prefill += item.prefill_s
        self._decode += item.decode_s

    def result(self, body: dict[str, Any]) -> Result:
        """The end of the call."""
        total = time.perf_counter() - self._started
        return Result(
            body=body,
            usage=Usage(self._prompt, self._cached, self._completion),
            timing=Timing(
                queue_ms=1e3 * self._queue,
                prefill_ms=1e3 * self._prefill,
                decode_ms=1e3 * self._decode,
                total_ms=1e3 * total,
            ),
        )
