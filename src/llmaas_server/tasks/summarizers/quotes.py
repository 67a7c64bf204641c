"""The sentences of the source and their vectors, for a model that writes: to pick what it reads, to
check what it wrote, and to quote where it wrote nothing true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from llmaas_server.runtime.interface import Floats, Model, Runtime
from llmaas_server.seam.values import Progress
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.vectors import embed_chunks

from .extractive import ExtractivePrompt, SourceVectors


class Quotes:
    """Reads the source once, when it is first needed."""

    def __init__(
        self,
        source: ExtractivePrompt,
        embedder: Model,
        runtime: Runtime,
        caller: Caller,
        meter: Meter,
    ) -> None:
        self.source = source
        self._embedder = embedder
        self._runtime = runtime
        self._caller = caller
        self._meter = meter
        self._vectors: SourceVectors | None = None

    @property
    def vectors(self) -> SourceVectors:
        if self._vectors is None:
            raise RuntimeError("the source was not read")
        return self._vectors

    async def read(self, stage: str) -> AsyncGenerator[Progress, None]:
        """Embed the sentences, where that was not done before."""
        if self._vectors is not None:
            return
        windows = self.source.windows
        chunks = embed_chunks(
            windows.sequences, self._embedder, self._runtime, self._caller, self._meter
        )
        parts: list[Floats] = []
        done = 0
        async with aclosing(chunks):
            async for vectors in chunks:
                parts.append(vectors)
                done += len(vectors)
                yield Progress(stage, done, len(windows.sequences))
        self._vectors = await asyncio.to_thread(self.source.pool, parts)
