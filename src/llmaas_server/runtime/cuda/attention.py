"""Attention over pages: one call of a kernel for all sequences of a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention.varlen import varlen_attn
from transformers import AttentionInterface

from llmaas_server.runtime.attention import attend_segments, cannot_attend, unknown_among

from .step import Step, Table

NAME = "llmaas-pages"
"""What the function is called where transformers asks for an `attn_implementation`."""

Kernel = Callable[[Tensor, Tensor, Tensor, Table, float | None, int | None], Tensor]
"""Of queries [tokens, heads, dim], pages of keys and of values, scale and window: [tokens, heads,
dim]. A row sees the keys up to its own, of its window where there is one."""


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
    batch: Step | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Write keys and values into the pages, then attend over them.

    `query`, `key`, `value`: [1, heads, tokens, dim], packed. Returns [1, tokens, heads, dim].
    """
    unknown = unknown_among(others)
    if batch is None or softcap is not None or unknown:
        raise cannot_attend(module, unknown or ["softcap"] * (softcap is not None))
    layer: Any = module.layer_idx
    batch.pages.write(layer, batch.slots, key[0], value[0])
    if batch.table is None:
        out = query.new_empty(1, query.shape[2], query.shape[1], value.shape[3])
        attend_segments(
            batch.pages, layer, batch.segments, query, out, scaling, sliding_window, None
        )
        return out, None
    keys, values = batch.pages.of(layer)
    kernel: Kernel = varlen if query.is_cuda else plain
    out = kernel(query[0].transpose(0, 1), keys, values, batch.table, scaling, sliding_window)
    return out[None], None


def varlen(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    table: Table,
    scale: float | None,
    window: int | None,
) -> Tensor:
    """FlashAttention, on a GPU. Without splits a row's sum does not depend on its neighbours."""
    found = varlen_attn(
        query,
        keys,
        values,
        table.starts,
        None,
        table.most_rows,
        table.most_keys,
        scale=scale,
        window_size=(-1 if window is None else window - 1, 0),
        enable_gqa=query.shape[1] != keys.shape[2],
        seqused_k=table.used,
        block_table=table.blocks,
        num_splits=1,
    )
    assert isinstance(found, Tensor)
    return found


def plain(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    table: Table,
    scale: float | None,
    window: int | None,
) -> Tensor:
    """The same by torch's operations, sequence by sequence, on any device."""
    out = torch.empty_like(query)
    starts, used = table.starts.tolist(), table.used.tolist()
    for n, count in enumerate(used):
        rows = slice(starts[n], starts[n + 1])
        at = torch.arange(count, device=query.device)
        own = at[count - (rows.stop - rows.start) :, None]
        mask = at <= own
        if window is not None:
            mask &= at > own - window
        pages = table.blocks[n].long()
        found = F.scaled_dot_product_attention(
            query[rows].transpose(0, 1)[None],
            keys[pages].flatten(0, 1)[:count].transpose(0, 1)[None],
            values[pages].flatten(0, 1)[:count].transpose(0, 1)[None],
            attn_mask=mask,
            scale=scale,
            enable_gqa=query.shape[1] != keys.shape[2],
        )
        out[rows] = found[0].transpose(0, 1)
    return out
