"""One step as tensors on the device: all its numbers travel there in one copy."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from itertools import accumulate

import torch
from torch import Tensor

from llmaas_server.runtime.batch import Segment
from llmaas_server.runtime.batch import build as build_segments
from llmaas_server.runtime.sequence import Chunk

from .pages import Pages


@dataclass(frozen=True, slots=True)
class Table:
    """Which pages the rows of each chunk attend to.

    chunk n   rows starts[n] … starts[n + 1] of the step, which are the last ones of its
              used[n] keys; key i lies in page blocks[n, i // size]
    """

    starts: Tensor  # int32 [chunks + 1]
    used: Tensor  # int32 [chunks]
    blocks: Tensor  # int32 [chunks, pages of the longest]
    most_rows: int
    most_keys: int


@dataclass(frozen=True, slots=True)
class Step:
    """What one forward computes. The attention function finds it among its keyword arguments."""

    pages: Pages
    ids: Tensor  # [1, tokens]
    positions: Tensor  # [1, tokens]
    slots: Tensor  # [tokens]
    wanted: Tensor  # [rows whose logits are needed]
    table: Table | None
    """None where sequences have branches, which the kernel does not know."""
    segments: list[Segment] = field(default_factory=list)
    """Chunk by chunk, instead of the table."""


def build(chunks: list[Chunk], pages: Pages, device: torch.device) -> Step:
    """Pack the chunks of one step; every sequence has its blocks."""
    if any(chunk.sequence.branches(chunk.stop) is not None for chunk in chunks):
        batch = build_segments(chunks, pages, device)
        return Step(
            pages, batch.ids, batch.positions, batch.slots, batch.wanted, None, batch.segments
        )
    starts = list(accumulate((chunk.size for chunk in chunks), initial=0))
    used = [chunk.stop for chunk in chunks]
    blocks = [chunk.sequence.blocks[: -(-chunk.stop // pages.size)] for chunk in chunks]
    width = max(map(len, blocks))
    parts = to_device(
        [
            [id for chunk in chunks for id in chunk.ids],
            [position for chunk in chunks for position in chunk.positions],
            [slot for chunk in chunks for slot in slots_of(chunk, pages.size)],
            [
                start + index - chunk.start
                for chunk, start in zip(chunks, starts, strict=False)
                for index in chunk.wanted
            ],
            starts,
            used,
            [block for row in blocks for block in row + [0] * (width - len(row))],
        ],
        device,
    )
    ids, positions, slots, wanted, starts_there, used_there, blocks_there = parts
    table = Table(
        starts_there.int(),
        used_there.int(),
        blocks_there.int().view(len(chunks), width),
        max(chunk.size for chunk in chunks),
        max(used),
    )
    return Step(pages, ids[None], positions[None], slots, wanted, table)


def slots_of(chunk: Chunk, size: int) -> list[int]:
    """Where the chunk's tokens lie, counted in tokens over all pages."""
    blocks = chunk.sequence.blocks
    return [blocks[at // size] * size + at % size for at in range(chunk.start, chunk.stop)]


def to_device(parts: Items[Items[int]], device: torch.device) -> list[Tensor]:
    """The parts as int64 tensors; one copy, which the host does not wait for."""
    numbers = torch.tensor([number for part in parts for number in part])
    if device.type == "cuda":
        numbers = numbers.pin_memory().to(device, non_blocking=True)
    return list(torch.split(numbers, [len(part) for part in parts]))
