"""The keys and values of all sequences of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class _Layer:
    keys: Tensor  # [kv_heads, capacity, key_dim]
    values: Tensor  # [kv_heads, capacity, value_dim]


Place = slice | Tensor
"""Slots of a sequence in the order of its tokens: neighbours, or indices, [tokens]."""


class KeyValues(Protocol):
    """What a step needs of the memory for keys and values, however they lie there."""

    size: int
    """Tokens of a block."""

    @property
    def layers(self) -> int: ...
    @property
    def bytes_per_token(self) -> int: ...
    def write(self, layer: int, slots: Tensor, keys: Tensor, values: Tensor) -> None: ...
    def read(self, layer: int, place: Place) -> tuple[Tensor, Tensor]: ...


class Cache:
    """`blocks` blocks of `size` slots in every layer; a slot holds one token. Head before slot, so
    that the keys of a head of a sequence whose blocks are neighbours are read without a copy.

    A layer's tensors are made by its first write, in the shape and type of what is written.
    """

    def __init__(self, blocks: int, size: int) -> None:
        self.size = size
        self.capacity = blocks * size
        self._layers: dict[int, _Layer] = {}

    @property
    def layers(self) -> int:
        return len(self._layers)

    @property
    def bytes_per_token(self) -> int:
        """Of the layers written so far."""
        return sum(
            tensor.shape[0] * tensor.shape[2] * tensor.element_size()
            for layer in self._layers.values()
            for tensor in (layer.keys, layer.values)
        )

    def write(self, layer: int, slots: Tensor, keys: Tensor, values: Tensor) -> None:
        """Put `keys` and `values`, [kv_heads, tokens, dim], into `slots`, [tokens]."""
        held = self._layers.get(layer)
        if held is None:
            held = _Layer(self._empty(keys), self._empty(values))
            self._layers[layer] = held
        held.keys.index_copy_(1, slots, keys)
        held.values.index_copy_(1, slots, values)

    def read(self, layer: int, place: Place) -> tuple[Tensor, Tensor]:
        """What lies at `place`: keys and values, [kv_heads, tokens, dim]."""
        held = self._layers[layer]
        if isinstance(place, slice):
            return held.keys[:, place], held.values[:, place]
        return held.keys.index_select(1, place), held.values.index_select(1, place)

    def _empty(self, like: Tensor) -> Tensor:
        heads, _, dim = like.shape
        return torch.empty(heads, self.capacity, dim, dtype=like.dtype, device=like.device)
