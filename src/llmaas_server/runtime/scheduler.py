"""Which sequences run in this step, and how many tokens of each. No torch here.

First come, first served within a tenant, and equal shares between tenants. Sequences get blocks of
the KV cache as they grow. Where none are left, the one that deserves them least gives its own back,
and is computed again when there is room: its text stays what it is.
"""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Iterator

from .blocks import Blocks, Key, Prefix
from .meter import Meter
from .sequence import Chunk, Sequence
from .shares import Shares

VERIFIED = 16
"""Rows of answers and their drafts in a step. A row more costs about what a token is worth then."""


class Scheduler:
    """Sequences that wait and sequences that run, within blocks and a budget of tokens a step."""

    def __init__(
        self,
        blocks: Blocks,
        max_sequences: int,
        max_step_tokens: int,
        meter: Meter | None = None,
    ) -> None:
        """`meter` counts what is scheduled; None is one that nobody reads."""
        self.blocks = blocks
        self.meter = Meter() if meter is None else meter
        self.max_step_tokens = max_step_tokens
        # One token each for those that generate must leave half a step to prompts.
        self.max_sequences = max(1, min(max_sequences, max_step_tokens // 2))
        self.holding = False
        """Whether nothing is admitted: what runs ends, and the rest waits."""
        self._secret = secrets.token_bytes(16)
        self._shares = Shares()
        self._waiting: deque[Sequence] = deque()
        self._running: dict[int, Sequence] = {}

    @property
    def busy(self) -> bool:
        return bool(self._running or self._waiting)

    @property
    def running(self) -> int:
        return len(self._running)

    def waiting(self) -> list[Sequence]:
        """Those that hold no blocks, the next ones first."""
        return list(self._waiting)

    @property
    def queued(self) -> int:
        """How many those are."""
        return len(self._waiting)

    def can_add(self, sequence: Sequence) -> bool:
        """Whether the sequence fits when nothing else runs."""
        return self.blocks.of(sequence.room) <= self.blocks.capacity

    def add(self, sequence: Sequence) -> None:
        sequence.prefix = Prefix(self._secret, sequence.tenant, self.blocks.size)
        self._waiting.append(sequence)

    def schedule(self, now: float) -> list[Chunk]:
        """Admit what can be admitted, then share out the step: generating sequences first, then
        prompts, in chunks of what is left of the budget. The least served tenant comes first, and
        one that is far ahead of another pauses."""
        self._shares.note(s.tenant for s in (*self._running.values(), *self._waiting))
        self._publish_all()
        while self._waiting and self.can_admit(first := self._next()):
            self._waiting.remove(first)
            self.admit(first, now)
        paused = self._shares.ahead(sequence.tenant for sequence in self._running.values())
        budget = self.max_step_tokens
        answering = sum(sequence.answering for sequence in self._running.values())
        draft = VERIFIED // max(1, answering) - 1
        chunks: list[Chunk] = []
        for sequence in sorted(self._running.values(), key=self._turn):
            if budget == 0:
                break
            if sequence.tenant in paused or sequence.id not in self._running:
                continue
            sequence.guess(min(draft, budget - 1))
            size = self._make_room(sequence, min(sequence.pending, budget), chunks)
            if size == 0:
                continue
            start = sequence.computed
            chunks.append(Chunk(sequence, start, start + size))
            self._charge(chunks[-1])
            budget -= size
        return chunks

    def can_admit(self, sequence: Sequence) -> bool:
        """Whether there are blocks for its prompt, beside the prompts of those that run and a
        block more for each of them: what is admitted should stay."""
        if self.holding or len(self._running) == self.max_sequences:
            return False
        shared = self.blocks.find(self._keys(sequence))
        needed = self.blocks.of(sequence.pending) - len(shared)
        promised = sum(self._missing(one, one.pending) + 1 for one in self._running.values())
        left = self.blocks.available - sum(map(self.blocks.is_kept, shared))
        return needed + promised <= left

    def admit(self, sequence: Sequence, now: float) -> None:
        sequence.blocks = self.blocks.find(self._keys(sequence))
        self.blocks.hold(sequence.blocks)
        sequence.published = len(sequence.blocks)
        sequence.computed = sequence.published * self.blocks.size
        sequence.charged = max(sequence.charged, sequence.computed)
        if sequence.admitted is None:
            sequence.admitted = now
            sequence.cached = sequence.computed
            self.meter.prefix_queries += len(sequence.head)
            self.meter.prefix_hits += sequence.cached
        self._running[sequence.id] = sequence

    def preempt(self, sequence: Sequence) -> None:
        """Take the blocks back; it is the first of its tenant to be admitted again."""
        del self._running[sequence.id]
        self._release(sequence)
        self._waiting.appendleft(sequence)
        self.meter.preemptions += 1

    def drop(self, id: int) -> None:
        """Forget the sequence and take its blocks back; no error where it has ended already."""
        sequence = self._running.pop(id, None)
        if sequence is None:
            self._waiting = deque(s for s in self._waiting if s.id != id)
        else:
            self._release(sequence)

    def check(self) -> None:
        """Raise AssertionError unless the blocks that are held are those of what runs."""
        self.blocks.check(sequence.blocks for sequence in self._running.values())
        for sequence in self._running.values():
            assert self.blocks.of(sequence.computed) <= len(sequence.blocks), (
                "tokens without blocks"
            )
        assert not any(sequence.blocks for sequence in self._waiting), "blocks of what waits"

    def _next(self) -> Sequence:
        """Who is admitted next: the oldest of the tenant that was served least, and runs least."""
        running = Counter(sequence.tenant for sequence in self._running.values())
        return min(
            self._waiting,
            key=lambda sequence: (self._shares.served(sequence.tenant), running[sequence.tenant]),
        )

    def _turn(self, sequence: Sequence) -> tuple[bool, int]:
        return not sequence.answering, self._shares.served(sequence.tenant)

    def _make_room(self, sequence: Sequence, size: int, chunks: list[Chunk]) -> int:
        """Blocks for the next `size` tokens, or for as many as there is room for.

        A token of an answer takes blocks from others if need be; so does what would otherwise
        be the only work of the step. Drafts and further prompts do not.
        """
        while self._missing(sequence, size) > self.blocks.available:
            if sequence.answering and size > 1:
                size = 1
            elif sequence.answering or not chunks:
                victim = self._least_deserving(sequence, chunks)
                if victim is None:
                    break
                self.preempt(victim)
            else:
                break
        room = (len(sequence.blocks) + self.blocks.available) * self.blocks.size
        size = min(size, room - sequence.computed)
        sequence.blocks += [self.blocks.take() for _ in range(self._missing(sequence, size))]
        return size

    def _missing(self, sequence: Sequence, size: int) -> int:
        return max(0, self.blocks.of(sequence.computed + size) - len(sequence.blocks))

    def _least_deserving(self, sequence: Sequence, chunks: list[Chunk]) -> Sequence | None:
        """The newest of the tenant that was served most, among those not yet in the step."""
        busy = {chunk.sequence.id for chunk in chunks} | {sequence.id}
        others = [other for id, other in self._running.items() if id not in busy]
        return max(others, key=lambda s: (self._shares.served(s.tenant), s.id), default=None)

    def _charge(self, chunk: Chunk) -> None:
        sequence = chunk.sequence
        if sequence.answering:
            self._shares.charge_answer(sequence.tenant)
            self.meter.decode_tokens += 1
            self.meter.drafted_tokens += chunk.size - 1
        else:
            self.meter.prefill_tokens += chunk.size
            self._shares.charge_prompt(sequence.tenant, max(0, chunk.stop - sequence.charged))
        sequence.charged = max(sequence.charged, chunk.stop)

    def _keys(self, sequence: Sequence) -> Iterator[Key]:
        """Of the blocks that it may find in the cache. Its last token is computed in any case:
        what comes after it is read from that."""
        assert sequence.prefix is not None, "a sequence that was not added"
        for index in range((len(sequence.head) - 1) // self.blocks.size):
            yield sequence.prefix.key(index, sequence.head)

    def _publish_all(self) -> None:
        for sequence in self._running.values():
            self._publish(sequence)

    def _publish(self, sequence: Sequence) -> None:
        """Let others use the blocks that are full by now."""
        assert sequence.prefix is not None, "a sequence that was not added"
        full = min(sequence.computed, len(sequence.head)) // self.blocks.size
        for index in range(sequence.published, full):
            key = sequence.prefix.key(index, sequence.head)
            self.blocks.publish(sequence.blocks[index], key)
        sequence.published = max(sequence.published, full)

    def _release(self, sequence: Sequence) -> None:
        self._publish(sequence)
        self.blocks.give(sequence.blocks)
        sequence.blocks = []
        sequence.computed = sequence.published = 0
