"""What the lanes of models do: what there is now, and what was done, as values that add up.

What was done only grows. It is summed over the models that came and went in a worker, over the
lives of a worker, and over workers: a total never falls while the front lives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import add

import msgspec

STEP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of the buckets for the time of a step."""

BATCH_SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
"""Bounds of the buckets for the sequences in a step."""


class LaneState(msgspec.Struct, frozen=True):
    """What a lane has now."""

    running: int = 0
    """Sequences that have begun; of encoders those in the step under way."""
    waiting: int = 0
    """Sequences that have not begun, and those whose memory was taken back."""
    kv_used_bytes: int = 0
    """Of keys and values that sequences hold."""
    kv_cached_bytes: int = 0
    """Of those that nobody holds, and that a prompt which begins alike would find."""
    kv_limit_bytes: int = 0
    """Most that there may be; 0 in lanes that keep none."""

    def __add__(self, other: LaneState) -> LaneState:
        return LaneState(*map(add, msgspec.structs.astuple(self), msgspec.structs.astuple(other)))


class Histogram(msgspec.Struct, frozen=True):
    """How many values fell into each bucket, and their sum; the bounds are known to both ends."""

    counts: tuple[int, ...]
    """By bound, each without those before it; the last are beyond all bounds."""
    sum: float

    @property
    def count(self) -> int:
        return sum(self.counts)

    def __add__(self, other: Histogram) -> Histogram:
        counts = tuple(map(add, self.counts, other.counts))
        return Histogram(counts, self.sum + other.sum)


def empty(bounds: Sequence[float]) -> Histogram:
    return Histogram((0,) * (len(bounds) + 1), 0.0)


class LaneWork(msgspec.Struct, frozen=True):
    """What the lane of a model has done: all but its names are sums."""

    model: str
    lane: str
    step_seconds: Histogram = empty(STEP_SECONDS)
    """By STEP_SECONDS; one value a step."""
    batch_sizes: Histogram = empty(BATCH_SIZES)
    """Sequences in a step, by BATCH_SIZES; one value a step."""
    prefill_tokens: int = 0
    """Of prompts and texts that steps computed; again, where the memory was taken back."""
    decode_tokens: int = 0
    """Of answers; the first of an answer comes with the end of its prompt, and is not counted."""
    preemptions: int = 0
    """Sequences whose blocks were taken back, because others needed them."""
    prefix_queries: int = 0
    """Tokens of prompts that were looked for among those computed before."""
    prefix_hits: int = 0
    """Tokens of these that were found, and not computed again."""
    drafted_tokens: int = 0
    """Guesses at what comes next that were computed beside it."""
    accepted_tokens: int = 0
    """Guesses that were right; they are among `decode_tokens`."""

    def __add__(self, other: LaneWork) -> LaneWork:
        """For the same lane of the same model."""
        mine, others = msgspec.structs.astuple(self), msgspec.structs.astuple(other)
        return LaneWork(self.model, self.lane, *map(add, mine[2:], others[2:]))


def total(works: Iterable[LaneWork]) -> list[LaneWork]:
    """One for each lane of each model, in the order in which they first come."""
    sums: dict[tuple[str, str], LaneWork] = {}
    for work in works:
        key = work.model, work.lane
        sums[key] = sums[key] + work if key in sums else work
    return list(sums.values())
