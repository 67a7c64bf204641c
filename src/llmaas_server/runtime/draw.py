"""How one token is to be drawn, and the number that it is drawn by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from .grammar import Mask
from .request import Sampling

_GREEDY_BELOW = 1e-5
"""Temperatures that would overflow mean the same as 0."""


@dataclass(frozen=True, slots=True)
class Draw:
    """How to draw one row's token."""

    sampling: Sampling
    seed: int
    """That of `sampling`, or a fresh one where it names none."""
    count: int
    """Tokens of the sequence drawn before this one."""
    seen: Sequence[int]
    """Prompt and answer so far, for the repetition penalty."""
    top_logprobs: int | None = None
    mask: Mask | None = None
    """The tokens that may come; log-probabilities do not depend on it."""


def is_greedy(sampling: Sampling) -> bool:
    return sampling.temperature < _GREEDY_BELOW


def uniform(seed: int, count: int) -> float:
    """The number in [0, 1) that belongs to the draw `count` of `seed`, whatever else is drawn."""
    digest = blake2b(f"{seed}:{count}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)
