"""Decode steps as recorded graphs, one for each size of a batch: no launch is made from Python."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from llmaas_server.runtime.sequence import Chunk

from .pages import Pages
from .step import Step, Table, slots_of

log = logging.getLogger(__name__)

SIZES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Rows of a step; one of another size is padded to the next."""


class Recorded(Protocol):
    """A forward over inputs that stay where they are."""

    def __call__(self) -> Tensor:
        """Compute with what the inputs hold now; the result is overwritten by the next call."""


Record = Callable[[Callable[[], Tensor]], Recorded]


@dataclass(frozen=True, slots=True)
class _Graph:
    host: Tensor
    """int64 [rows, 4 + width]: id, position, slot, keys, pages; pinned where there is a GPU."""
    inputs: Tensor
    """The same on the device."""
    run: Recorded


class Graphs:
    """Steps in which every sequence has one row, up to the largest size."""

    def __init__(
        self,
        forward: Callable[[Step], Tensor],
        pages: Pages,
        most_sequences: int,
        most_keys: int,
        device: torch.device,
        record: Record,
    ) -> None:
        """Records all sizes at once: the largest first, whose memory the others use."""
        self._forward = forward
        self._pages = pages
        self._most_keys = most_keys
        self._width = -(-most_keys // pages.size)
        sizes = [size for size in SIZES if size < most_sequences]
        sizes += [size for size in SIZES if size >= most_sequences][:1]
        self._graphs = {size: self._make(size, device, record) for size in reversed(sizes)}

    def can_run(self, chunks: list[Chunk]) -> bool:
        return len(chunks) <= max(self._graphs) and all(
            chunk.size == len(chunk.wanted) == 1
            and chunk.stop <= self._most_keys
            and chunk.sequence.branches(chunk.stop) is None
            for chunk in chunks
        )

    def logits(self, chunks: list[Chunk]) -> Tensor:
        """`can_run` has said yes."""
        size = min(size for size in self._graphs if size >= len(chunks))
        graph = self._graphs[size]
        rows = [self._row(chunk) for chunk in chunks]
        # What is left of the batch does again what its first row does, in the same place.
        rows += rows[:1] * (size - len(rows))
        graph.host.copy_(torch.tensor(rows))
        graph.inputs.copy_(graph.host, non_blocking=True)
        return graph.run()[: len(chunks)]

    def _row(self, chunk: Chunk) -> list[int]:
        blocks = chunk.sequence.blocks[: self._width]
        (slot,) = slots_of(chunk, self._pages.size)
        numbers = [chunk.ids[0], chunk.positions[0], slot, chunk.stop]
        return numbers + blocks + [0] * (self._width - len(blocks))

    def _make(self, size: int, device: torch.device, record: Record) -> _Graph:
        host = torch.zeros(size, 4 + self._width, dtype=torch.long)
        if device.type == "cuda":
            host = host.pin_memory()
        host[:, 3] = 1  # one key, which every row writes into the first slot
        inputs = host.to(device)
        rows = torch.arange(size, device=device)
        starts = torch.arange(size + 1, dtype=torch.int32, device=device)

        def run() -> Tensor:
            table = Table(starts, inputs[:, 3].int(), inputs[:, 4:].int(), 1, self._most_keys)
            ids, positions, slots = inputs[:, 0], inputs[:, 1], inputs[:, 2]
            step = Step(self._pages, ids[None], positions[None], slots, rows, table)
            return self._forward(step)

        return _Graph(host, inputs, record(run))


class CudaRecorder:
    """Records on a GPU; all graphs share one pool of memory, as they run one at a time."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], Tensor]) -> Recorded:
        current = torch.cuda.current_stream()
        beside: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        beside.wait_stream(current)
        with torch.cuda.stream(beside):
            for _ in range(2):  # libraries choose their kernels, and make their workspaces
                run()
        current.wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        # Other threads may go on with other models meanwhile.
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            out = run()

        def replay() -> Tensor:
            graph.replay()
            return out

        return replay
