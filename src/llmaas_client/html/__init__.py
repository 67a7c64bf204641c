"""Results as notebooks show them: HTML made of values.

Self-contained and without scripts, so that it survives wherever a notebook is shown; whatever
comes from a model or a user is escaped; readable on light and on dark ground.
"""

from __future__ import annotations

from typing import Any


def draw(value: Any) -> str | None:
    """The picture of a result; None for what has none."""
    from .pictures import PICTURES

    for kind in type(value).__mro__:
        if kind in PICTURES:
            return PICTURES[kind](value)
    return None
