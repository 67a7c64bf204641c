"""The header of a GGUF file, read with suspicion: every length is checked against the file.

The format: magic, version, counts of tensors and fields; the fields (key, type, value); the tensors
(name, shape with the innermost dimension first, type, offset); padding to the alignment; the data.
Little-endian. gguf's own reader trusts the lengths that it finds, and takes seconds for a
vocabulary.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType
from numpy.typing import NDArray

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_ALIGNMENT = 32
_MOST_DIMENSIONS = 4
_LEAST_FIELD, _LEAST_TENSOR = 13, 24  # bytes: what the counts must leave room for

_SCALARS: dict[GGUFValueType, np.dtype[Any]] = {
    GGUFValueType.UINT8: np.dtype("<u1"),
    GGUFValueType.INT8: np.dtype("<i1"),
    GGUFValueType.UINT16: np.dtype("<u2"),
    GGUFValueType.INT16: np.dtype("<i2"),
    GGUFValueType.UINT32: np.dtype("<u4"),
    GGUFValueType.INT32: np.dtype("<i4"),
    GGUFValueType.UINT64: np.dtype("<u8"),
    GGUFValueType.INT64: np.dtype("<i8"),
    GGUFValueType.FLOAT32: np.dtype("<f4"),
    GGUFValueType.FLOAT64: np.dtype("<f8"),
    GGUFValueType.BOOL: np.dtype("?"),
}


class BrokenFile(ValueError):
    """The file is not a whole GGUF file; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Tensor:
    name: str
    type: GGMLQuantizationType
    shape: tuple[int, ...]
    """Outermost dimension first, as in torch: [out, in]."""
    begin: int
    bytes: int


@dataclass(frozen=True, slots=True)
class GGUF:
    fields: dict[str, Any]
    tensors: tuple[Tensor, ...]
    data: mmap.mmap

    def rows(self, tensor: Tensor) -> NDArray[np.uint8]:
        """The raw bytes of a tensor, [rows, bytes of a row], without a copy."""
        rows = math.prod(tensor.shape[:-1])
        raw = np.frombuffer(self.data, np.uint8, tensor.bytes, tensor.begin)
        return raw.reshape(rows, -1)


def read(path: Path) -> GGUF:
    """Raises BrokenFile."""
    with path.open("rb") as file:
        if path.stat().st_size < 24 or file.read(4) != _MAGIC:
            raise BrokenFile("is not a GGUF file")
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    cursor = _Cursor(data, 4)
    version = cursor.number("<I")
    if version not in _VERSIONS:
        raise BrokenFile(f"has GGUF version {version}; versions 2 and 3 can be read")
    tensor_count, field_count = cursor.number("<Q"), cursor.number("<Q")
    cursor.expect(tensor_count * _LEAST_TENSOR + field_count * _LEAST_FIELD)
    fields = {}
    for _ in range(field_count):
        key = cursor.text()
        fields[key] = cursor.value(cursor.number("<I"))
    infos = [cursor.tensor() for _ in range(tensor_count)]
    alignment = fields.get("general.alignment", _ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise BrokenFile(f"has an alignment of {alignment!r}")
    start = -(-cursor.at // alignment) * alignment
    tensors = tuple(
        Tensor(name, kind, shape, start + offset, _size(name, kind, shape))
        for name, kind, shape, offset in infos
    )
    for tensor in tensors:
        if tensor.begin + tensor.bytes > len(data):
            raise BrokenFile(
                f"is cut off: {tensor.name} ends at byte {tensor.begin + tensor.bytes}, "
                f"and the file has {len(data)}"
            )
    return GGUF(fields, tensors, data)


def _size(name: str, kind: GGMLQuantizationType, shape: tuple[int, ...]) -> int:
    block, size = GGML_QUANT_SIZES.get(kind, (0, 0))
    if not block or not shape or min(shape) < 1 or shape[-1] % block:
        raise BrokenFile(f"has a shape of {list(shape)} for {name}, of type {kind.name}")
    return int(math.prod(shape) // block * size)


class _Cursor:
    """A place in the file that never leaves it."""

    def __init__(self, data: mmap.mmap, at: int) -> None:
        self._data = data
        self.at = at

    def expect(self, count: int) -> None:
        """Raises BrokenFile where the file has not so many bytes left."""
        if count > len(self._data) - self.at:
            raise BrokenFile(
                f"is cut off: at byte {self.at} it needs {count} more, "
                f"and the file has {len(self._data)}"
            )

    def take(self, count: int) -> bytes:
        self.expect(count)
        self.at += count
        return self._data[self.at - count : self.at]

    def number(self, form: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def text(self) -> str:
        raw = self.take(self.number("<Q"))
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BrokenFile(f"has a text that is not UTF-8, before byte {self.at}") from error

    def value(self, type_id: int) -> Any:
        kind = self._kind(type_id)
        if kind is GGUFValueType.STRING:
            return self.text()
        if kind is not GGUFValueType.ARRAY:
            return self._scalars(kind, 1)[0]
        inner, count = self._kind(self.number("<I")), self.number("<Q")
        if inner is GGUFValueType.STRING:
            self.expect(count * 8)
            return [self.text() for _ in range(count)]
        if inner is GGUFValueType.ARRAY:
            raise BrokenFile("has an array of arrays")
        return self._scalars(inner, count)

    def tensor(self) -> tuple[str, GGMLQuantizationType, tuple[int, ...], int]:
        name, dimensions = self.text(), self.number("<I")
        if dimensions > _MOST_DIMENSIONS:
            raise BrokenFile(f"says that {name} has {dimensions} dimensions")
        shape = tuple(self.number("<Q") for _ in range(dimensions))[::-1]
        type_id, offset = self.number("<I"), self.number("<Q")
        try:
            return name, GGMLQuantizationType(type_id), shape, offset
        except ValueError as error:
            raise BrokenFile(f"has the unknown type {type_id} for {name}") from error

    def _kind(self, type_id: int) -> GGUFValueType:
        try:
            return GGUFValueType(type_id)
        except ValueError as error:
            raise BrokenFile(f"has a field of the unknown type {type_id}") from error

    def _scalars(self, kind: GGUFValueType, count: int) -> list[Any]:
        dtype = _SCALARS[kind]
        return list(np.frombuffer(self.take(count * dtype.itemsize), dtype).tolist())
