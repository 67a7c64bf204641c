"""Thresholds, and what is known of the errors above each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .base import WireModel

CONFIDENCE = 0.95
"""Of every upper bound."""


class Operating(WireModel):
    """What happens where answers below `threshold` are withheld."""

    threshold: float
    coverage: float
    """The share of texts that are answered."""
    error: float
    """The share of answers that were wrong."""
    error_bound: float
    """It is not larger, with 95 % confidence (Clopper-Pearson, one-sided)."""


def threshold_for(operating: Sequence[Operating], examples: int, max_error: float) -> float:
    """The lowest threshold whose bound is within `max_error`. Raises ValueError, see `refusal`."""
    fitting = [point.threshold for point in operating if point.error_bound <= max_error]
    if not fitting:
        raise ValueError(refusal(operating, examples, max_error))
    return min(fitting)


def examples_needed(max_error: float) -> int:
    """How many answers, all of them right, show that errors are rarer than `max_error`."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log1p(-max_error))


def refusal(operating: Sequence[Operating], examples: int, max_error: float) -> str:
    """Why no threshold holds errors to `max_error`, and what would help."""
    needed = examples_needed(max_error)
    if examples < needed:
        return (
            f"{examples} examples cannot show that errors are at most {max_error:g}: at least "
            f"{needed} are needed"
        )
    least = min((point.error_bound for point in operating), default=1.0)
    return (
        f"no threshold holds errors to {max_error:g}: the best bound that {examples} examples "
        f"support is {least:.3g}; at least {needed} answers without an error are needed above a "
        "threshold"
    )
