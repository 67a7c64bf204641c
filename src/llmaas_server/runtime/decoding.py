"""What computes the steps of the generate lane: transformers' modules, or our kernels."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from .sequence import Chunk


class Decoder(Protocol):
    """A decoder model, and the keys and values of its sequences.

    A row's logits do not depend on the other chunks of its step, within the rounding of the
    arithmetic. Called from the engine's thread alone.
    """

    @property
    def name(self) -> str:
        """What computes, for people: `torch float32`, `native avx512-vnni int4`."""

    @property
    def weight_bytes(self) -> int:
        """Of its weights in memory."""

    @property
    def bytes_per_token(self) -> int:
        """Of keys and values, in all layers."""

    @property
    def block_tokens(self) -> int:
        """Tokens of one block of keys and values."""

    @property
    def longest(self) -> int | None:
        """Most tokens of a sequence that it can compute, where that is less than the context."""

    def reserve(self, blocks: int) -> None:
        """Make room for so many blocks of keys and values; what was in them is gone."""

    def logits(self, chunks: list[Chunk]) -> Tensor:
        """Write keys and values of all rows into the blocks of their sequences, and return the
        float32 logits of the wanted rows, chunk by chunk, [wanted, vocabulary]."""
