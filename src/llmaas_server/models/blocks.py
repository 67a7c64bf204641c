"""Quantized weights as the store keeps them: blocks of 32 inputs with a scale (and a minimum).

A linear weight `X.weight` [out, in] lies in model.safetensors as two or three tensors instead:

    format  tensor            dtype    shape          value of input i of a row
    q4      X.weight.q4       uint8    [out, in/2]    scale[i // 32] * nibble(i) + min[i // 32]
            X.weight.scale    float16  [out, in/32]
            X.weight.min      float16  [out, in/32]
    q8      X.weight.q8       int8     [out, in]      scale[i // 32] * q8[i]
            X.weight.scale    float16  [out, in/32]

The nibbles of a q4 block are in GGUF's order. Block b of a row is its bytes 16 b to 16 b + 15;
byte j holds input 32 b + j in its low half and input 32 b + 16 + j in its high half:

    byte   16b      16b+1    ...  16b+15
    low    32b      32b+1    ...  32b+15
    high   32b+16   32b+17   ...  32b+31

GGUF's Q4_1 and Q8_0 map to these bit by bit; Q4_0 is q4 with min = -8 scale, which is exact.
numpy alone: the converter writes with this file, the runtime's loader reads with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

BLOCK = 32

Format = Literal["q4", "q8"]
Source = Literal["Q4_0", "Q4_1", "Q8_0"]

FORMATS: dict[Source, Format] = {"Q4_0": "q4", "Q4_1": "q4", "Q8_0": "q8"}
"""The types of GGUF that are kept as they are."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """One quantized weight."""

    values: NDArray[np.uint8] | NDArray[np.int8]
    """q4: uint8 [out, in/2]; q8: int8 [out, in]."""
    scale: NDArray[np.float16]  # [out, in/32]
    minimum: NDArray[np.float16] | None = None  # [out, in/32]; q4 only


def part_names(weight: str, form: Format) -> tuple[str, ...]:
    """Names of the tensors that a quantized weight is stored as: values, scale, minimum."""
    if form == "q4":
        return f"{weight}.q4", f"{weight}.scale", f"{weight}.min"
    return f"{weight}.q8", f"{weight}.scale"


def quantized_weights(tensors: Iterable[str]) -> dict[str, Format]:
    """The quantized weights among the tensors of a file: `X.weight` -> format."""
    forms: dict[str, Format] = {}
    for name in tensors:
        if name.endswith(".q4"):
            forms[name.removesuffix(".q4")] = "q4"
        elif name.endswith(".q8"):
            forms[name.removesuffix(".q8")] = "q8"
    return forms


def dequantize(blocks: Blocks) -> NDArray[np.float32]:
    """The weight, [out, in]; equal to what gguf computes, bit by bit."""
    rows, groups = blocks.scale.shape
    scale = blocks.scale.astype(np.float32)[:, :, None]
    if blocks.minimum is None:
        whole = blocks.values.reshape(rows, groups, BLOCK).astype(np.float32)
        return (whole * scale).reshape(rows, -1)
    nibbles = unpack(blocks.values.astype(np.uint8, copy=False)).reshape(rows, groups, BLOCK)
    minimum = blocks.minimum.astype(np.float32)[:, :, None]
    return (nibbles.astype(np.float32) * scale + minimum).reshape(rows, -1)


def unpack(packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Nibbles in the order of the inputs: [out, in/2] -> [out, in]."""
    rows = packed.shape[0]
    halves = packed.reshape(rows, -1, 1, BLOCK // 2)  # [out, blocks, 1, 16]
    return np.concatenate([halves & 0x0F, halves >> 4], axis=2).reshape(rows, -1)


def from_gguf(raw: NDArray[np.uint8], source: Source) -> Blocks:
    """Take GGUF's rows of blocks apart; raw is [out, bytes of a row], no bit is changed.

    GGUF interleaves, for each block: the scale, the minimum (Q4_1 only), the values.
    Raises ValueError where a scale is so large that float16 cannot hold its minimum (Q4_0).
    """
    rows = raw.shape[0]
    header = 4 if source == "Q4_1" else 2
    body = BLOCK if source == "Q8_0" else BLOCK // 2
    blocks = raw.reshape(rows, -1, header + body)
    scale = _halves(blocks[:, :, 0:2])
    values = np.ascontiguousarray(blocks[:, :, header:]).reshape(rows, -1)
    if source == "Q8_0":
        return Blocks(values.view(np.int8), scale)
    if source == "Q4_1":
        return Blocks(values, scale, _halves(blocks[:, :, 2:4]))
    minimum = scale.astype(np.float32) * -8
    if np.abs(minimum).max(initial=0) > np.finfo(np.float16).max:
        raise ValueError("a scale is out of the range of float16")
    return Blocks(values, scale, minimum.astype(np.float16))


def _halves(raw: NDArray[np.uint8]) -> NDArray[np.float16]:
    return np.ascontiguousarray(raw).view("<f2")[:, :, 0].astype(np.float16)
