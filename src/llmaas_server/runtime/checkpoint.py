"""The weights of a model's folder: safetensors, read tensor by tensor.

Tensors are copied out of the mapped file, so that a resident model does not depend on it, and the
progress told is of bytes really read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from llmaas_server.errors import Problem
from llmaas_server.models.blocks import Blocks, dequantize, part_names, quantized_weights

_SINGLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights. Raises Problem `model_broken` where one is not there."""
    names = _shards(folder / _INDEX) if (folder / _INDEX).exists() else [_SINGLE]
    files = [folder / name for name in names]
    for file in files:
        if not file.is_file():
            raise Problem(
                "model_broken",
                f"{file} is not there",
                hint="Pull the model again; only safetensors are read, never pickle (.bin, .pt).",
            )
    return files


def read_weights(
    files: Sequence[Path], dtype: torch.dtype, progress: Callable[[float], None]
) -> dict[str, Tensor]:
    """All tensors by name, on the CPU; floating ones as `dtype`, quantized ones dequantized.

    `progress` is told the share of bytes read. Raises Problem `model_broken` naming the file.
    """
    total = sum(file.stat().st_size for file in files) or 1
    weights: dict[str, Tensor] = {}
    done = 0
    for file in files:
        try:
            for name, tensor, size in _read(file, dtype):
                weights[name] = tensor
                done += size
                progress(min(done / total, 1.0))
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise Problem(
                "model_broken",
                f"{file} cannot be read: {error}",
                hint="The file is damaged: remove the model and pull it again.",
            ) from error
    progress(1.0)
    return weights


def bytes_of(module: Any) -> int:
    """Of a module's weights and buffers in memory; what two of them share counts once."""
    tensors: list[Tensor] = [*module.parameters(), *module.buffers()]
    return sum({tensor.data_ptr(): tensor.nbytes for tensor in tensors}.values())


def _read(file: Path, dtype: torch.dtype) -> Iterator[tuple[str, Tensor, int]]:
    """Name, tensor and size in the file of each weight."""
    with safe_open(file, framework="pt") as opened:
        names = set(opened.keys())
        for weight, form in quantized_weights(names).items():
            parts = [opened.get_tensor(part) for part in part_names(weight, form)]
            names -= {*part_names(weight, form)}
            whole = torch.from_numpy(dequantize(Blocks(*(part.numpy() for part in parts))))
            yield weight, whole.to(dtype), sum(part.nbytes for part in parts)
        for name in sorted(names):
            tensor = opened.get_tensor(name)
            kind = dtype if tensor.is_floating_point() else tensor.dtype
            yield name, tensor.to(kind, copy=True), tensor.nbytes


def _shards(index: Path) -> list[str]:
    try:
        found: Any = json.loads(index.read_bytes())["weight_map"]
        names = sorted(set(found.values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem("model_broken", f"{index} is not an index of safetensors") from error
    if any(Path(name).name != name for name in names):
        raise Problem("model_broken", f"{index} names files outside of its folder")
    return names
