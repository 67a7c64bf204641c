"""One step of a decoder as plain data: rows of some sequences, and where their past lies.

No torch here. A sequence's tokens are numbered from 0; token t has its keys and values in slot
t % block size of block table[t // block size]:

    index   0 … (computed before) | start … start + rows - 1
    table   block, block, block   | (blocks for these are in the table already)
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """The rows of one sequence."""

    ids: Items[int]
    positions: Items[int]
    """For the model's sense of order; the index, but for continuations that share a prefix."""
    start: int
    table: Items[int]
    gaps: Items[tuple[int, int]] | None
    """Indices from … to that a row does not see, although they come before it."""
    wanted: Items[int]
    """Rows, counted from 0 in this segment, whose logits are needed."""

    @property
    def rows(self) -> int:
        return len(self.ids)
