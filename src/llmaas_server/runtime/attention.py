"""Attention over the cache: what transformers' model classes call in every layer.

softmax(q k^T * scaling) v, causal, each sequence of the step by itself, so that its result does
not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface

from llmaas_server.errors import Problem

from .batch import Batch, Segment
from .cache import KeyValues

NAME = "llmaas"
"""What the function is called where transformers asks for an `attn_implementation`."""

_UNKNOWN = ("position_bias", "s_aux")
"""Arguments of some families that change the result and are not implemented here."""


def register() -> None:
    """Make the function known to transformers, which then builds no masks of its own."""
    AttentionInterface.register(NAME, attend)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    batch: Batch | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Write keys and values into the slots of the batch, then attend over the cache.

    `query`, `key`, `value`: [1, heads, tokens, dim], packed. Returns [1, tokens, heads, dim].
    """
    unknown = unknown_among(others)
    if batch is None or unknown:
        raise cannot_attend(module, unknown)
    layer: Any = module.layer_idx
    batch.cache.write(layer, batch.slots, key[0], value[0])
    out = query.new_empty(1, query.shape[2], query.shape[1], value.shape[3])
    attend_segments(
        batch.cache, layer, batch.segments, query, out, scaling, sliding_window, softcap
    )
    return out, None


def attend_segments(
    cache: KeyValues,
    layer: int,
    segments: Iterable[Segment],
    query: Tensor,  # [1, heads, tokens, dim]
    out: Tensor,  # [1, tokens, heads, dim]
    scaling: float | None,
    window: int | None,
    softcap: float | None,
) -> None:
    """Fill the rows of `out`, sequence by sequence; their keys and values are written already."""
    for segment in segments:
        keys, values = cache.read(layer, segment.place)
        rows = query[0, :, segment.rows]
        attended = _attend_segment(segment, rows, keys, values, scaling, window, softcap)
        out[0, segment.rows] = attended.transpose(0, 1)


def unknown_among(arguments: Mapping[str, Any]) -> list[str]:
    return [name for name in _UNKNOWN if arguments.get(name) is not None]


def cannot_attend(module: nn.Module, unknown: Sequence[str]) -> Problem:
    return Problem(
        "model_cannot_do_task",
        f"the attention of {type(module).__name__} needs "
        f"{', '.join(unknown) or 'a path of its own'}, which the generate lane has not",
    )


def _attend_segment(
    segment: Segment,
    query: Tensor,  # [heads, size, dim]
    keys: Tensor,  # [kv_heads, keys, dim]
    values: Tensor,
    scaling: float | None,
    window: int | None,
    softcap: float | None,
) -> Tensor:
    heads, size, dim = query.shape
    mask = None
    if size == 1 and segment.branches is None:
        # One row sees all keys of its window. The heads of a group become rows of one matrix.
        query = query.reshape(keys.shape[0], -1, dim)
        if window is not None:
            keys, values = keys[:, -window:], values[:, -window:]
    elif softcap is not None or not segment.is_whole(window):
        mask = segment.mask(window)
    if softcap is not None:
        return _capped(query, keys, values, scaling, mask, softcap).reshape(heads, size, -1)
    return F.scaled_dot_product_attention(
        query[None],
        keys[None],
        values[None],
        attn_mask=mask,
        is_causal=mask is None and query.shape[1] == size > 1,
        scale=scaling,
        enable_gqa=query.shape[0] != keys.shape[0],
    ).reshape(heads, size, -1)


def _capped(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    scaling: float | None,
    mask: Tensor | None,
    softcap: float,
) -> Tensor:
    """Attention whose scores are squeezed into (-softcap, softcap), as Gemma 2 does."""
    group = query.shape[0] // keys.shape[0]
    keys, values = keys.repeat_interleave(group, 0), values.repeat_interleave(group, 0)
    scale = query.shape[2] ** -0.5 if scaling is None else scaling
    scores = torch.tanh(query @ keys.transpose(1, 2) * scale / softcap) * softcap
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1, dtype=torch.float32).to(values.dtype) @ values
