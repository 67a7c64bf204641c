"""What computes the steps of the generate lane: transformers' modules, or our kernels."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from .step import Segment


class Decoder(Protocol):
    """A decoder model and the keys and values of its sequences, in blocks.

    A row's logits do not depend on the other segments of its step, within the rounding of the
    arithmetic. Called from the engine's thread alone.
    """

    @property
    def name(self) -> str:
        """What computes, for people: `torch float32`, `avx512-vnni int4`."""

    @property
    def block_tokens(self) -> int:
        """Tokens whose keys and values a block holds."""

    @property
    def bytes_per_block(self) -> int:
        """Of keys and values, in all layers."""

    @property
    def longest(self) -> int | None:
        """Most tokens of a sequence that it can compute, where that is less than the context."""

    def reserve(self, blocks: int) -> None:
        """Make room for `blocks` blocks, numbered from 0; what was in them is gone."""

    def logits(self, segments: list[Segment]) -> Tensor:
        """Write keys and values of all rows into their blocks, and return float32 logits of the
        wanted rows, segment by segment, [wanted, vocabulary]."""
