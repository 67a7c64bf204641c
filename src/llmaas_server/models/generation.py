"""How a model samples where nobody says otherwise: its own file, `generation_config.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmaas_server.errors import Problem
from llmaas_server.seam.values import ModelKind

FILE_NAME = "generation_config.json"

_TEMPERATURE = 0.7


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a request without sampling fields takes."""

    temperature: float
    top_p: float
    top_k: int | None
    min_p: float
    repetition_penalty: float


def defaults_of(kind: ModelKind, generation: Mapping[str, Any]) -> Defaults:
    """The model's own. Where its file states no temperature: 0.7 for a decoder, and greedy for
    seq2seq unless the file asks for sampling. Raises Problem `model_broken`."""
    greedy = kind == "seq2seq" and not generation.get("do_sample")
    temperature = 0.0 if greedy else _number(generation, "temperature", _TEMPERATURE)
    return Defaults(
        temperature=temperature,
        top_p=_number(generation, "top_p", 1.0),
        top_k=int(_number(generation, "top_k", 0)) or None,
        min_p=_number(generation, "min_p", 0.0),
        repetition_penalty=_number(generation, "repetition_penalty", 1.0),
    )


def read_json(path: Path) -> dict[str, Any]:
    """An object from a file; empty where there is none. Raises Problem `model_broken`."""
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Problem("model_broken", f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Problem("model_broken", f"{path} is not a JSON object")
    return value


def _number(values: Mapping[str, Any], name: str, default: float) -> float:
    value = values.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Problem("model_broken", f"{FILE_NAME}: {name} is {value!r}, not a number")
    return float(value)
