"""The sentences of an answer, checked against documents by an embedding model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.windows import read
from llmaas_server.tasks.vectors import embed_all

from .evidence import Grounds
from .judgement import Grounded, judge


def most_tokens(sentences: int, embedder: Model) -> int:
    """Most tokens that `check` reads of so many sentences."""
    return sentences * embedder.context


async def check(
    sentences: Sequence[str],
    grounds: Grounds,
    embedder: Model,
    runtime: Runtime,
    caller: Caller,
    meter: Meter,
) -> list[Grounded]:
    """Where each sentence stands, and how well.

    The meaning of one that is longer than the context of `embedder` is that of its beginning;
    numbers, names and words are those of all of it.
    """
    if not sentences:
        return []
    # Tokenizing and judging beside the event loop, as everywhere.
    sequences = await asyncio.to_thread(_sequences, sentences, embedder)
    vectors = await embed_all(sequences, embedder, runtime, caller, meter)
    return await asyncio.to_thread(judge, sentences, vectors, grounds)


def _sequences(sentences: Sequence[str], embedder: Model) -> list[tuple[int, ...]]:
    windows = read(sentences, embedder.tokenizer, embedder.context)
    first = {owner: index for index, owner in reversed(list(enumerate(windows.owners.tolist())))}
    return [windows.sequences[first[owner]] for owner in range(len(sentences))]
