"""One step as tensors: the chunks of all its sequences, packed one after another."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .cache import KeyValues, Place
from .sequence import PREFIX, Chunk


@dataclass(slots=True)
class Segment:
    """The rows of one chunk in the packed step, and the slots that they attend to.

    keys    0 … (computed before) | (this chunk) … keys - 1
    rows                          | 0 … size - 1
    """

    row: int
    size: int
    keys: int
    place: Place
    """Of the keys in the cache."""
    positions: Items[int]
    """Of the keys; the last `size` of them are those of the rows."""
    branches: Items[int] | None
    """Of the keys; None: all are one branch."""
    device: torch.device
    _masks: dict[int | None, Tensor] = field(default_factory=dict)

    @property
    def rows(self) -> slice:
        return slice(self.row, self.row + self.size)

    def is_whole(self, window: int | None) -> bool:
        """Whether the rows are all there is, and each sees all that is before it."""
        fits = window is None or self.size <= window
        return self.branches is None and self.size == self.keys and fits

    def mask(self, window: int | None) -> Tensor:
        """Which keys each row sees, bool [size, keys]; made once for all layers."""
        mask = self._masks.get(window)
        if mask is None:
            mask = self._masks[window] = self._make_mask(window)
        return mask

    def _make_mask(self, window: int | None) -> Tensor:
        keys = torch.tensor(self.positions, device=self.device)
        rows = keys[-self.size :, None]
        mask = keys <= rows
        if window is not None:
            mask &= keys > rows - window
        if self.branches is not None:
            branches = torch.tensor(self.branches, device=self.device)
            mask &= (branches == PREFIX) | (branches == branches[-self.size :, None])
        return mask


@dataclass(frozen=True, slots=True)
class Batch:
    """What one forward computes. The attention function finds it among its keyword arguments."""

    cache: KeyValues
    segments: list[Segment]
    ids: Tensor  # [1, tokens]
    positions: Tensor  # [1, tokens]
    slots: Tensor  # [tokens]
    wanted: Tensor  # [rows whose logits are needed]


def build(chunks: list[Chunk], cache: KeyValues, device: torch.device) -> Batch:
    """Pack the chunks of one step; every sequence has its blocks."""
    ids: list[int] = []
    positions: list[int] = []
    slots: list[int] = []
    wanted: list[int] = []
    segments: list[Segment] = []
    for chunk in chunks:
        row = len(ids)
        segments.append(_segment_of(chunk, row, cache.size, device))
        ids.extend(chunk.ids)
        positions.extend(chunk.positions)
        slots.extend(_slots(chunk, chunk.start, cache.size))
        wanted.extend(row + index - chunk.start for index in chunk.wanted)
    return Batch(
        cache,
        segments,
        torch.tensor([ids], device=device),
        torch.tensor([positions], device=device),
        torch.tensor(slots, device=device),
        torch.tensor(wanted, dtype=torch.long, device=device),
    )


def _segment_of(chunk: Chunk, row: int, size: int, device: torch.device) -> Segment:
    sequence, stop = chunk.sequence, chunk.stop
    return Segment(
        row,
        chunk.size,
        stop,
        _place(chunk, size, device),
        sequence.positions(0, stop),
        sequence.branches(stop),
        device,
    )


def _place(chunk: Chunk, size: int, device: torch.device) -> Place:
    blocks = chunk.sequence.blocks[: -(-chunk.stop // size)]
    first = blocks[0]
    if blocks == list(range(first, first + len(blocks))):
        return slice(first * size, first * size + chunk.stop)
    return torch.tensor(_slots(chunk, 0, size), device=device)


def _slots(chunk: Chunk, start: int, size: int) -> list[int]:
    """Of the tokens from `start` to the end of the chunk."""
    blocks = chunk.sequence.blocks
    return [blocks[at // size] * size + at % size for at in range(start, chunk.stop)]
