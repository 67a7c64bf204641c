"""Lays weights out as the kernels read them: blocks of 16 outputs, see linear.h.

A 4-bit weight of a file keeps every bit. Any other becomes 8 bits, symmetric in its groups:
w = scale * q, which the kernels see as scale * (q + 128) + min with min = -128 scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .library import Linear

LANES = 16
CHUNK = 32
_LEAST = 2.0**-14
"""The smallest normal number of float16: a group of zeros has a scale, too."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A weight for the kernels; `blocks` is uint8 [out / 16, in / group, bytes of a block]."""

    blocks: Tensor
    n: int
    k: int
    bits: int
    group: int
    bias: Tensor | None = None

    @property
    def nbytes(self) -> int:
        return self.blocks.nbytes + (0 if self.bias is None else self.bias.nbytes)

    def pointers(self) -> Linear:
        """What the kernels take; valid while this object lives."""
        bias = None if self.bias is None else self.bias.data_ptr()
        return Linear(self.blocks.data_ptr(), bias, self.n, self.k, self.bits, self.group)


def can_pack(n: int, k: int, group: int) -> bool:
    return n % LANES == 0 and k % group == 0 and group % CHUNK == 0


def pack_q4(values: Tensor, scale: Tensor, minimum: Tensor, bias: Tensor | None = None) -> Packed:
    """From the store's q4 (models.blocks): uint8 [out, in / 2], float16 [out, in / 32]."""
    n, groups = scale.shape
    # Byte 4 s + j of a row's block is vector s and input j: only the order of bytes changes.
    bytes_ = values.view(n // LANES, LANES, groups, 4, 4).permute(0, 2, 3, 1, 4)
    return _packed(bytes_, scale, minimum, 4, CHUNK, bias)


def pack_q8(values: Tensor, scale: Tensor, bias: Tensor | None = None) -> Packed:
    """From int8 [out, in] with float16 scales [out, in / group]."""
    n, groups = scale.shape
    k = values.shape[1]
    group = k // groups
    unsigned = values.view(torch.uint8) ^ 0x80  # q + 128
    bytes_ = unsigned.view(n // LANES, LANES, groups, group // 4, 4).permute(0, 2, 3, 1, 4)
    return _packed(bytes_, scale, (scale.float() * -128).half(), 8, group, bias)


def quantize(weight: Tensor, group: int, bias: Tensor | None = None) -> Packed:
    """Floating [out, in] in 8 bits, symmetric: scale = max |w| / 127 of each group."""
    n, k = weight.shape
    grouped = weight.float().view(n, k // group, group)
    scale = (grouped.abs().amax(-1) / 127).clamp(min=_LEAST).half()
    values = torch.round(grouped / scale.float()[..., None]).clamp(-127, 127).to(torch.int8)
    return pack_q8(values.view(n, k), scale, bias)


def quantize_q4(weight: Tensor, bias: Tensor | None = None) -> Packed:
    """Floating [out, in] in 4 bits with a minimum: scale = (max - min) / 15 of each 32 inputs."""
    n, k = weight.shape
    grouped = weight.float().view(n, k // CHUNK, CHUNK)
    minimum = grouped.amin(-1).half()
    scale = ((grouped.amax(-1) - minimum.float()) / 15).clamp(min=_LEAST).half()
    steps = (grouped - minimum.float()[..., None]) / scale.float()[..., None]
    values = torch.round(steps).clamp(0, 15).to(torch.uint8)
    low, high = values[..., : CHUNK // 2], values[..., CHUNK // 2 :]
    return pack_q4((low | high << 4).reshape(n, k // 2), scale, minimum, bias)


def _packed(
    bytes_: Tensor, scale: Tensor, minimum: Tensor, bits: int, group: int, bias: Tensor | None
) -> Packed:
    blocks, groups = bytes_.shape[:2]
    size = group * bits * 2
    whole = torch.empty(blocks, groups, size + 64, dtype=torch.uint8)
    whole[..., :size] = bytes_.reshape(blocks, groups, size)
    for at, part in ((size, scale), (size + 32, minimum)):
        halves = part.half().view(blocks, LANES, groups).transpose(1, 2).contiguous()
        whole[..., at : at + 32] = halves.view(torch.uint8)
    bias = None if bias is None else bias.float().contiguous()
    return Packed(whole, blocks * LANES, groups * group, bits, group, bias)
