"""A step of a decoder as torch.compile makes it: the same numbers with fewer passes over memory.

Compiling takes seconds to minutes, and a C++ compiler (on a GPU, Triton). It is done beside the
step loop, on a module of its own over the same weights, and nothing ever waits for it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import count
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

NAME = "llmaas-compiled"
"""What the attention function is called where transformers asks for an `attn_implementation`."""

Attend = Callable[..., tuple[Tensor, None]]
"""The attention of the eager step; see `attention.attend`."""

_handles = count(1)
_steps: WeakValueDictionary[int, CompiledStep]


class CompiledStep:
    """Computes what the eager step computes, as far as rounding goes. One thread at a time."""

    def __init__(self, module: Any, attend: Attend, backend: str) -> None:
        """`attend` is the eager step's attention: the compiler calls it as it is, and sees none
        of the cache."""
        AttentionInterface.register(NAME, _attend)
        shared = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
        self._module = copy.deepcopy(module, shared)
        self._module.set_attn_implementation(NAME)
        self._layers = {
            part.layer_idx: part for part in self._module.modules() if hasattr(part, "layer_idx")
        }
        self._attend = attend
        self._batch: Any = None
        self._handle = next(_handles)
        _steps[self._handle] = self
        self._call: Callable[..., Any] = torch.compile(self._module, backend=backend)

    @torch.inference_mode()
    def __call__(self, batch: Any) -> Tensor:
        """The module's logits of the wanted rows, [rows, vocabulary]."""
        self._batch = batch
        rows = batch.wanted.shape[0]
        # The compiler makes code of its own for 0 and for 1 of anything: none of them comes.
        wanted = torch.cat([batch.wanted, batch.wanted.new_zeros(2)])
        for tensor, dim in ((batch.ids, 1), (batch.positions, 1), (wanted, 0)):
            if tensor.shape[dim] > 1:
                torch._dynamo.maybe_mark_dynamic(tensor, dim)
        logits: Tensor = self._call(
            input_ids=batch.ids,
            position_ids=batch.positions,
            use_cache=False,
            logits_to_keep=wanted,
            step=self._handle,
        ).logits[0]
        self._batch = None
        if logits.shape[0] != wanted.shape[0]:  # a family that keeps the logits of all rows
            logits = logits[wanted]
        return logits[:rows]

    def attend(self, layer: int, *tensors: Tensor, **arguments: Any) -> Tensor:
        out, _ = self._attend(self._layers[layer], *tensors, None, batch=self._batch, **arguments)
        return out


# The compiled code reaches the cache of its step by a number: it cannot hold Python's objects.
_steps = WeakValueDictionary()


@torch.library.custom_op("llmaas::attend", mutates_args=())
def _opaque(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    step: int,
    layer: int,
    scaling: float | None,
    window: int | None,
    softcap: float | None,
) -> Tensor:
    return _steps[step].attend(
        layer, query, key, value, scaling=scaling, sliding_window=window, softcap=softcap
    )


@_opaque.register_fake
def _shape_of(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    step: int,
    layer: int,
    scaling: float | None,
    window: int | None,
    softcap: float | None,
) -> Tensor:
    return query.new_empty(1, query.shape[2], query.shape[1], value.shape[3])


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    step: int = 0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    layer: Any = module.layer_idx
    out: Tensor = _opaque(query, key, value, step, layer, scaling, sliding_window, softcap)
    return out, None
