"""From the vectors of tokens to one vector of a text, as sentence-transformers does it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from llmaas_server.errors import Problem
from llmaas_server.models.generation import read_json

_MODULES = {"Transformer", "Pooling", "Normalize"}

Pool = Callable[[Tensor, Tensor], Tensor]
"""Hidden states [rows, tokens, hidden] and mask [rows, tokens] -> [rows, hidden]."""


def pool(hidden: Tensor, mask: Tensor, modes: tuple[str, ...]) -> Tensor:
    """Unit vectors in float32; several modes are put side by side.

    Always of length one, whether the model has a Normalize module or not: so a dot product is
    the cosine for every model.
    """
    hidden = hidden.float()
    parts = [_POOLS[mode](hidden, mask) for mode in modes]
    return F.normalize(torch.cat(parts, dim=-1), dim=-1)


def read_pooling(folder: Path) -> tuple[str, ...]:
    """The modes that the model's files name; the mean where they name none.

    Raises Problem `model_broken` for a module or mode that is not known here: without it the
    vectors would be others.
    """
    path = folder / "modules.json"
    if not path.exists():
        return ("mean",)
    try:
        modules: Any = json.loads(path.read_bytes())
        kinds = {module["type"].rsplit(".", 1)[-1]: module["path"] for module in modules}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem("model_broken", f"{path} is not a list of modules") from error
    if unknown := kinds.keys() - _MODULES:
        raise Problem(
            "model_broken",
            f"{path} asks for {', '.join(sorted(unknown))}, which is not implemented",
            hint="Choose an embedding model that only pools and normalizes.",
        )
    return _modes(folder / str(kinds.get("Pooling", "")) / "config.json")


def _modes(path: Path) -> tuple[str, ...]:
    config = read_json(path)
    named = config.get("pooling_mode")
    asked = (
        [named] if isinstance(named, str) else [m for m, flag in _FLAGS.items() if config.get(flag)]
    )
    if unknown := {m for m in asked if m not in _POOLS}:
        raise Problem("model_broken", f"{path} asks for pooling by {', '.join(unknown)}")
    return tuple(asked) or ("mean",)


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    weights = mask[..., None].to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def _mean_sqrt(hidden: Tensor, mask: Tensor) -> Tensor:
    weights = mask[..., None].to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9).sqrt()


def _first(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden[:, 0]


def _last(hidden: Tensor, mask: Tensor) -> Tensor:
    rows = torch.arange(hidden.shape[0], device=hidden.device)
    return hidden[rows, mask.sum(1).long() - 1]


def _max(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.masked_fill(~mask[..., None].bool(), -torch.inf).amax(1)


_POOLS: dict[str, Pool] = {
    "cls": _first,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt,
    "lasttoken": _last,
}

# In the order in which sentence-transformers puts them side by side.
_FLAGS = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
