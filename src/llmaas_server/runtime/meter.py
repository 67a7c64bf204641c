"""What the steps of one lane have done: plain numbers, counted by the engine's thread. No torch.

Any thread may read them. Each number only grows; two that are read together may be a step apart.
"""

from __future__ import annotations

from bisect import bisect_left

from llmaas_server.seam.lanes import BATCH_SIZES, STEP_SECONDS, Histogram, LaneWork


class Buckets:
    """How many values fell between which bounds, and their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """A value on a bound belongs to the bucket that ends there."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def read(self) -> Histogram:
        return Histogram(tuple(self._counts), self._sum)


class Meter:
    """Of one lane, from its first step on."""

    def __init__(self) -> None:
        self.batch = 0
        """Sequences in the step under way; set by the lane."""
        self.prefill_tokens = 0
        self.decode_tokens = 0
        self.preemptions = 0
        self.prefix_queries = 0
        self.prefix_hits = 0
        self.drafted_tokens = 0
        self.accepted_tokens = 0
        self._seconds = Buckets(STEP_SECONDS)
        self._batches = Buckets(BATCH_SIZES)

    def stepped(self, seconds: float) -> None:
        """A step has ended, which took so long."""
        self._seconds.observe(seconds)
        self._batches.observe(self.batch)
        self.batch = 0

    def accept(self, tokens: int) -> None:
        """So many guesses at an answer were right, and are of the answer now."""
        self.accepted_tokens += tokens
        self.decode_tokens += tokens

    def read(self, model: str, lane: str) -> LaneWork:
        return LaneWork(
            model,
            lane,
            self._seconds.read(),
            self._batches.read(),
            self.prefill_tokens,
            self.decode_tokens,
            self.preemptions,
            self.prefix_queries,
            self.prefix_hits,
            self.drafted_tokens,
            self.accepted_tokens,
        )
