"""Names that lead to no model, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from llmaas_server.errors import Problem

from .names import is_hub_id, is_name

_SHOWN = 12


def not_found(name: str, installed: Sequence[str], catalogue: Sequence[str]) -> Problem:
    """No model has this name: those that have similar ones come first, then the others."""
    others = [known for known in catalogue if known not in installed]
    close = close_names(name, [*installed, *others])
    said = [f"no model is named {name!r}"]
    if close:
        said.append(f"similar: {', '.join(close)}")
    said.append(f"on this machine: {_some(installed)}")
    said.append(f"in the catalogue: {_some(others)}")
    hint = "`llmaas models list --all` names all models."
    if is_name(name) and is_hub_id(name):
        hint = f"If the Hugging Face hub has it, run `llmaas models pull {name}`."
    return Problem("model_not_found", "; ".join(said), hint=hint, param="model")


def not_pulled(name: str) -> Problem:
    return Problem(
        "model_not_pulled",
        f"the model {name} is known, but its files are not on this machine",
        hint=f"Run `llmaas models pull {name}`.",
        param="model",
    )


def close_names(name: str, known: Sequence[str]) -> list[str]:
    """Similar names, the most similar first; the organization before a `/` may be left out."""
    short: dict[str, str] = {}
    for full in known:
        short.setdefault(full.lower(), full)
        short.setdefault(full.lower().rpartition("/")[2], full)
    matches = difflib.get_close_matches(name.lower(), short, n=5, cutoff=0.6)
    return list(dict.fromkeys(short[match] for match in matches))


def _some(names: Sequence[str]) -> str:
    if len(names) <= _SHOWN:
        return ", ".join(names) or "none"
    return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"
