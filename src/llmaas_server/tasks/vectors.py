"""Vectors of many sequences, in chunks of bounded size."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import numpy as np

from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Floats, Model, Runtime

from .base import Caller
from .meter import Meter

CHUNK_TOKENS = 16_384
CHUNK_SEQUENCES = 256


def need_sentence_embeddings(model: Model) -> None:
    """Raises Problem `model_cannot_do_task`."""
    if not model.ref.sentence_embeddings:
        raise Problem(
            "model_cannot_do_task",
            f"{model.ref.name!r} ({model.ref.kind}) was not trained to embed sentences",
            hint="Choose an embedding model: GET /v1/models lists the tasks of each.",
            param="model",
        )


async def embed_chunks(
    sequences: Sequence[Sequence[int]],
    model: Model,
    runtime: Runtime,
    caller: Caller,
    meter: Meter,
) -> AsyncGenerator[Floats, None]:
    """Unit vectors of `sequences` in order, a chunk at a time: [chunk, hidden]."""
    for start, end in chunk_borders(sequences):
        chunk = sequences[start:end]
        yield await meter.encode(
            sum(len(sequence) for sequence in chunk),
            runtime.embed(model, chunk, tenant=caller.tenant, deadline=caller.deadline),
        )


async def embed_all(
    sequences: Sequence[Sequence[int]],
    model: Model,
    runtime: Runtime,
    caller: Caller,
    meter: Meter,
) -> Floats:
    """Unit vectors, [sequences, hidden]."""
    chunks = embed_chunks(sequences, model, runtime, caller, meter)
    return np.concatenate([vectors async for vectors in chunks])


def chunk_borders(sequences: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Ranges of sequences that keep within the bounds; a longer sequence stands alone."""
    borders: list[tuple[int, int]] = []
    start = tokens = 0
    for index, sequence in enumerate(sequences):
        full = tokens + len(sequence) > CHUNK_TOKENS or index - start == CHUNK_SEQUENCES
        if full and index > start:
            borders.append((start, index))
            start, tokens = index, 0
        tokens += len(sequence)
    if start < len(sequences):
        borders.append((start, len(sequences)))
    return borders
