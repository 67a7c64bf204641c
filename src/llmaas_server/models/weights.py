"""The header of a safetensors file, read with suspicion: every size is checked against the file.

The format: 8 bytes with the length of the header (little-endian), the header as JSON (name ->
dtype, shape, and begin and end of its data), then the data.
"""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

MAX_HEADER = 100_000_000  # as in the safetensors library

_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64,
}  # fmt: skip


class Tensor(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def read_header(path: Path) -> dict[str, Tensor]:
    """The tensors of a file. Raises ValueError that says what is wrong with it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, MAX_HEADER):
            raise ValueError(f"is cut off: it has {size} bytes, and its header needs {length + 8}")
        header = file.read(length)
    try:
        tensors = msgspec.json.decode(header, type=dict[str, msgspec.Raw])
        tensors.pop("__metadata__", None)
        found = {name: msgspec.json.decode(raw, type=Tensor) for name, raw in tensors.items()}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"has no valid header: {error}") from error
    for name, tensor in found.items():
        _check(name, tensor, size - 8 - length)
    return found


def _check(name: str, tensor: Tensor, room: int) -> None:
    if tensor.dtype not in _BITS:
        raise ValueError(f"has the unknown type {tensor.dtype} for {name}")
    begin, end = tensor.data_offsets
    needed = math.prod(tensor.shape) * _BITS[tensor.dtype] // 8
    if min(tensor.shape, default=0) < 0 or begin < 0 or end - begin != needed:
        raise ValueError(f"says that {name} has {end - begin} bytes, and its shape needs {needed}")
    if end > room:
        raise ValueError(f"is cut off: {name} ends at byte {end} of the data, which has {room}")
