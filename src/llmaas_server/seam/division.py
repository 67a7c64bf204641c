"""What each request of a shared step pays of its time."""

from __future__ import annotations

from collections.abc import Sequence


def divide(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Whole parts of `total` in proportion to `weights`, which sum to `total` exactly.

    The method of largest remainders: each gets its share rounded down, and what is left goes, one
    by one, to those who lost most by rounding, the earlier first among equals. Where all weights
    are 0 the parts are equal. Neither total nor weights are negative.
    """
    if not weights:
        raise ValueError("nobody to divide among")
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    lost = [total * weight % whole for weight in weights]
    left = total - sum(parts)
    for index in sorted(range(len(weights)), key=lambda index: (-lost[index], index))[:left]:
        parts[index] += 1
    return tuple(parts)
