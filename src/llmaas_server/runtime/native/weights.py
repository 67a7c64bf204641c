"""Weights of a model's folder, packed for the kernels one by one.

No weight is ever whole in floating point: the peak is the packed model and one matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from llmaas_server.errors import Problem
from llmaas_server.models.blocks import Blocks, dequantize, part_names, quantized_weights
from llmaas_server.runtime.kernels import packing
from llmaas_server.runtime.kernels.packing import Packed

Quantization = Literal["auto", "int8", "int4"]


class Weights:
    """The tensors of some safetensors files, read when they are asked for.

    `progress` is told the share of the files' bytes read, 0 to 1. Raises Problem `model_broken`
    for a tensor that is not there, or cannot be read.
    """

    def __init__(self, files: Sequence[Path], progress: Callable[[float], None]) -> None:
        self._paths = list(files)
        self._progress = progress
        self._total = sum(path.stat().st_size for path in files) or 1
        self._done = 0
        self._stack = ExitStack()
        self._where: dict[str, Any] = {}

    def __enter__(self) -> Weights:
        for path in self._paths:
            try:
                opened = self._stack.enter_context(safe_open(path, framework="pt"))
            except (SafetensorError, OSError) as error:
                raise _broken(f"{path} cannot be read: {error}") from error
            self._where.update(dict.fromkeys(opened.keys(), opened))
        self._forms = quantized_weights(self._where)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def folder(self) -> Path:
        return self._paths[0].parent

    def __contains__(self, name: str) -> bool:
        return name in self._where or name in self._forms

    def vector(self, name: str) -> Tensor:
        """A weight in float32, whatever its form."""
        if name not in self._forms:
            return self._read(name).float().contiguous()
        parts = [part.numpy() for part in self._parts(name)]
        return torch.from_numpy(dequantize(Blocks(*parts)))

    def optional(self, name: str) -> Tensor | None:
        return self.vector(name) if name in self else None

    def linear(self, name: str, quantization: Quantization, group: int = packing.CHUNK) -> Packed:
        """The layer `name` (its `.weight`, and `.bias` where there is one)."""
        weight, bias = f"{name}.weight", self.optional(f"{name}.bias")
        form = self._forms.get(weight)
        if quantization == "auto" and group == packing.CHUNK and form is not None:
            parts = self._parts(weight)
            pack: Callable[..., Packed] = packing.pack_q4 if form == "q4" else packing.pack_q8
            return pack(*parts, bias=bias)
        if quantization == "int4":
            return packing.quantize_q4(self.vector(weight), bias)
        return packing.quantize(self.vector(weight), group, bias)

    def rows(self, name: str) -> tuple[Tensor, Tensor | None]:
        """A table of embeddings: int8 [rows, width] and its scales, or bfloat16 without."""
        if self._forms.get(name) == "q8":
            values, scale = self._parts(name)
            return values, scale
        return self.vector(name).bfloat16(), None

    def _parts(self, weight: str) -> list[Tensor]:
        return [self._read(part) for part in part_names(weight, self._forms[weight])]

    def _read(self, name: str) -> Tensor:
        opened = self._where.get(name)
        if opened is None:
            raise _broken(f"the weights in {self.folder} have no {name}")
        try:
            tensor: Tensor = opened.get_tensor(name)
        except (SafetensorError, OSError, ValueError) as error:
            raise _broken(f"{name} in {self.folder} cannot be read: {error}") from error
        self._done += tensor.nbytes
        self._progress(min(self._done / self._total, 1.0))
        # A copy: what is mapped from a file changes with it.
        return tensor.clone()


def embed(values: Tensor, scale: Tensor | None, ids: Tensor) -> Tensor:
    """Rows of a table of embeddings, float32 [ids, width]."""
    found = values[ids].float()
    if scale is None:
        return found
    groups = scale[ids].float()
    rows, width = found.shape
    return (found.view(rows, groups.shape[1], -1) * groups[..., None]).view(rows, width)


def _broken(message: str) -> Problem:
    return Problem(
        "model_broken",
        message,
        hint="The files are not whole: remove the model and pull it again.",
    )
