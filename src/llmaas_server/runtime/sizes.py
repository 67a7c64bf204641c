"""How much memory a model will take, from the headers of its files: before anything is loaded.

Never less than it takes, as far as files can tell: where kernels are still being built, torch's
copy and theirs count both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from llmaas_server.errors import Problem
from llmaas_server.models.blocks import part_names, quantized_weights
from llmaas_server.models.weights import Tensor, read_header
from llmaas_server.seam.values import ModelKind, ModelRef, WorkerOptions

from .checkpoint import weight_files
from .device import device_of, dtype_of
from .faults import first_line
from .kernels.supply import Supply
from .memory import Size
from .native import decoder as native_decoder
from .native import encoder as native_encoder
from .twin import TwinRef

_WITH_CACHE = ("decoder", "seq2seq")
_CAN_RUN: dict[ModelKind, Callable[[Any], bool]] = {
    "decoder": native_decoder.can_run,
    "encoder": native_encoder.can_run,
    "classifier": native_encoder.can_run,
}
_PACKED_BYTES = 1.25
"""Most bytes that a packed weight takes, with its scales; four bits take about 0.7."""
_HEAD = ("pooler", "classifier")
"""Parts of a classification head, which is not packed."""
_TABLE_BYTES = 2
"""Of a weight in a table of embeddings, which is looked up in bfloat16."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Estimates for a worker's options."""

    options: WorkerOptions
    supply: Supply | None = None
    """Of kernels; None where the worker has none."""

    def __call__(self, ref: ModelRef, *, built: bool = False) -> Size:
        """Reads headers, in milliseconds; `built` waits until the kernels are. Raises Problem
        `model_broken`."""
        shapes = _shapes(ref)
        whole, packed = self._forms(ref, built)
        weights = whole * self._itemsize(ref) * sum(map(math.prod, shapes.values()))
        if packed:
            weights += sum(_packed_bytes(name, shape) for name, shape in shapes.items())
        return Size(weights, self.options.kv_bytes if ref.kind in _WITH_CACHE else 0)

    def _itemsize(self, ref: ModelRef) -> int:
        """Bytes of a weight as torch has it."""
        if isinstance(ref, TwinRef):
            return torch.float32.itemsize
        return dtype_of(self.options, device_of(self.options)).itemsize

    def _forms(self, ref: ModelRef, built: bool) -> tuple[bool, bool]:
        """Whether the model will be in memory as torch's tensors, and packed for our kernels."""
        supply = self.supply
        if isinstance(ref, TwinRef) or supply is None:
            return True, False
        if self.options.quantization_of(ref.name) == "none":
            return True, False
        if ref.kind not in _CAN_RUN or not _CAN_RUN[ref.kind](_config(ref)):
            return True, False
        if built:
            supply.wait()
        if supply.now() is not None:
            return False, True
        # An encoder stays with torch until it is loaded anew; a decoder changes over.
        return True, ref.kind == "decoder" and supply.coming


def _packed_bytes(name: str, shape: tuple[int, ...]) -> int:
    if len(shape) < 2 or any(part in _HEAD for part in name.split(".")):
        return 4 * math.prod(shape)
    each = _PACKED_BYTES
    if "embed" in name:
        each += _TABLE_BYTES  # It may be the output layer, too.
    return math.ceil(each * math.prod(shape))


def _shapes(ref: ModelRef) -> dict[str, tuple[int, ...]]:
    """The weights by name, whatever form they have in the files."""
    tensors: dict[str, Tensor] = {}
    for file in weight_files(Path(ref.path)):
        try:
            tensors |= read_header(file)
        except (OSError, ValueError) as error:
            raise Problem("model_broken", f"{file} {error}") from error
    forms = quantized_weights(tensors)
    parts = {part for name, form in forms.items() for part in part_names(name, form)}
    shapes = {name: tensor.shape for name, tensor in tensors.items() if name not in parts}
    for name, form in forms.items():
        rows, width = tensors[f"{name}.{form}"].shape
        shapes[name] = (rows, width * 2 if form == "q4" else width)
    return shapes


def _config(ref: ModelRef) -> transformers.PretrainedConfig:
    try:
        return transformers.AutoConfig.from_pretrained(
            ref.path, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # transformers may raise anything of a broken or foreign config
        path = Path(ref.path) / "config.json"
        raise Problem("model_broken", f"{path} cannot be read: {first_line(error)}") from error
