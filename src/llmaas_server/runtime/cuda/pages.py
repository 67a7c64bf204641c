"""The keys and values of all sequences of a model, in pages as torch's kernel reads them."""

from __future__ import annotations

import torch
from torch import Tensor

from llmaas_server.runtime.cache import Place

PAGE_TOKENS = 256
"""FlashAttention 2 reads pages of a multiple of so many tokens."""


class Pages:
    """`blocks` pages of `size` tokens in every layer, [blocks, size, kv_heads, dim].

    A layer's tensors are made by its first write, in the shape and type of what is written.
    """

    def __init__(self, blocks: int, size: int = PAGE_TOKENS) -> None:
        self.size = size
        self._blocks = blocks
        self._layers: dict[int, tuple[Tensor, Tensor]] = {}

    @property
    def layers(self) -> int:
        return len(self._layers)

    @property
    def bytes_per_token(self) -> int:
        """Of the layers written so far."""
        return sum(
            tensor[0, 0].numel() * tensor.element_size()
            for layer in self._layers.values()
            for tensor in layer
        )

    def of(self, layer: int) -> tuple[Tensor, Tensor]:
        """The pages of a layer that has been written: keys and values."""
        return self._layers[layer]

    def write(self, layer: int, slots: Tensor, keys: Tensor, values: Tensor) -> None:
        """Put `keys` and `values`, [kv_heads, tokens, dim], into `slots`, [tokens]."""
        held = self._layers.get(layer)
        if held is None:
            held = self._layers[layer] = self._empty(keys), self._empty(values)
        for pages, new in zip(held, (keys, values), strict=True):
            pages.flatten(0, 1).index_copy_(0, slots, new.transpose(0, 1))

    def read(self, layer: int, place: Place) -> tuple[Tensor, Tensor]:
        """What lies at `place`: keys and values, [kv_heads, tokens, dim]."""
        keys, values = self._layers[layer]
        return (
            keys.flatten(0, 1)[place].transpose(0, 1),
            values.flatten(0, 1)[place].transpose(0, 1),
        )

    def _empty(self, like: Tensor) -> Tensor:
        heads, _, dim = like.shape
        shape = (self._blocks, self.size, heads, dim)
        return torch.zeros(shape, dtype=like.dtype, device=like.device)
