"""Tensors of a GGUF file under transformers' names, and the safetensors file that keeps them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf.quants import dequantize
from numpy.typing import NDArray

from llmaas_server.models import blocks

from .header import GGUF, BrokenFile, Tensor
from .layout import Slot

_PLAIN = {"F32": "F32", "F16": "F16", "BF16": "BF16"}
_ITEM = {"F32": 4, "F16": 2, "BF16": 2, "I8": 1, "U8": 1}


@dataclass(frozen=True, slots=True)
class Part:
    """One tensor of the safetensors file; its data is made when it is written."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: Callable[[], NDArray[np.generic]]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * _ITEM[self.dtype]


def parts_of(gguf: GGUF, tensor: Tensor, slot: Slot) -> list[Part]:
    """What a tensor becomes.

    Q4_0, Q4_1 and Q8_0 matrices keep their blocks, F32, F16 and BF16 stay as they are, everything
    else becomes BF16.
    """

    def raw() -> NDArray[np.uint8]:
        rows = gguf.rows(tensor)
        return rows if slot.heads is None else rows[rope_rows(len(rows), slot.heads)]

    kind = tensor.type.name
    if kind in blocks.FORMATS and len(tensor.shape) == 2:
        return _block_parts(slot, kind, raw)
    if kind in _PLAIN:
        return [Part(slot.name, _PLAIN[kind], tensor.shape, raw)]

    def rounded() -> NDArray[np.uint16]:
        return to_bfloat16(dequantize(raw(), tensor.type))

    return [Part(slot.name, "BF16", tensor.shape, rounded)]


def rope_rows(rows: int, heads: int) -> NDArray[np.intp]:
    """Where each row of q_proj or k_proj lies in llama.cpp's order.

    llama.cpp stores the rows of a head as pairs (0, half, 1, half + 1, …), because it rotates
    neighbours; transformers rotates the first half against the second. Blocks run along the
    inputs, so they move with their rows.
    """
    order = np.arange(rows).reshape(heads, rows // heads // 2, 2)
    return order.swapaxes(1, 2).reshape(-1)


def to_bfloat16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Round to the nearest bfloat16, ties to even; the bits, since numpy has no such type."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def _block_parts(
    slot: Slot, source: blocks.Source, raw: Callable[[], NDArray[np.uint8]]
) -> list[Part]:
    out, inputs = slot.shape
    form = blocks.FORMATS[source]
    groups = (out, inputs // blocks.BLOCK)

    def scale() -> NDArray[np.generic]:
        return blocks.from_gguf(raw(), source).scale

    def values() -> NDArray[np.generic]:
        return blocks.from_gguf(raw(), source).values

    def minimum() -> NDArray[np.generic]:
        found = blocks.from_gguf(raw(), source).minimum
        assert found is not None  # of q4 alone
        return found

    names = blocks.part_names(slot.name, form)
    if form == "q8":
        return [Part(names[0], "I8", slot.shape, values), Part(names[1], "F16", groups, scale)]
    return [
        Part(names[0], "U8", (out, inputs // 2), values),
        Part(names[1], "F16", groups, scale),
        Part(names[2], "F16", groups, minimum),
    ]


def write(path: Path, parts: Iterable[Part], metadata: dict[str, str]) -> None:
    """Write a safetensors file tensor by tensor, so that memory holds one of them at a time."""
    # Wide types first keeps every tensor aligned to its own width.
    ordered = sorted(parts, key=lambda part: (-_ITEM[part.dtype], part.name))
    header: dict[str, object] = {"__metadata__": metadata}
    end = 0
    for part in ordered:
        header[part.name] = {
            "dtype": part.dtype,
            "shape": part.shape,
            "data_offsets": [end, end + part.bytes],
        }
        end += part.bytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("xb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for part in ordered:
            data = np.ascontiguousarray(part.data())
            if data.nbytes != part.bytes:
                raise BrokenFile(f"gives {data.nbytes} bytes for {part.name}, not {part.bytes}")
            file.write(data.data)


def quantization(pairs: Iterable[tuple[Tensor, Slot]]) -> dict[str, Any]:
    """quantization.json: what became of each weight that was quantized in GGUF."""
    return {
        "block": blocks.BLOCK,
        "weights": {
            slot.name: {
                "gguf": tensor.type.name,
                "kept": blocks.FORMATS.get(tensor.type.name, "bfloat16"),
            }
            for tensor, slot in pairs
            if tensor.type.name not in _PLAIN
        },
    }
