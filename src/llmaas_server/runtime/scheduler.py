"""Which sequences run in this step, and how many tokens of each. No torch here.

First come, first served within a tenant, and equal shares between tenants: a sequence waits until
the slots for its worst case are free, so that nothing that runs ever has to be taken back.
"""

from __future__ import annotations

from collections import Counter, deque

from .sequence import Chunk, Sequence
from .shares import Shares
from .slots import Slots


class Scheduler:
    """Sequences that wait and sequences that run, within slots and a budget of tokens a step."""

    def __init__(self, slots: Slots, max_sequences: int, max_step_tokens: int) -> None:
        self.slots = slots
        self.max_step_tokens = max_step_tokens
        # One token each for those that generate must leave half a step to prompts.
        self.max_sequences = max(1, min(max_sequences, max_step_tokens // 2))
        self.holding = False
        """Whether nothing is admitted: what runs ends, and the rest waits."""
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
        """Those that hold no slots yet, the oldest first."""
        return list(self._waiting)

    def can_add(self, sequence: Sequence) -> bool:
        """Whether the sequence fits when nothing else runs."""
        return self.slots.size_of(sequence.room) <= self.slots.capacity

    def add(self, sequence: Sequence) -> None:
        self._waiting.append(sequence)

    def schedule(self, now: float) -> list[Chunk]:
        """Admit what can be admitted, then share out the step: generating sequences first, then
        prompts, in chunks of what is left of the budget. The least served tenant comes first, and
        one that is far ahead of another pauses."""
        self._shares.note(s.tenant for s in (*self._running.values(), *self._waiting))
        while self._waiting and self.can_admit(first := self._next()):
            self._waiting.remove(first)
            self.admit(first, now)
        paused = self._shares.ahead(sequence.tenant for sequence in self._running.values())
        budget = self.max_step_tokens
        chunks = []
        for sequence in sorted(self._running.values(), key=self._turn):
            if budget == 0:
                break
            if sequence.tenant in paused:
                continue
            start, size = sequence.computed, min(sequence.pending, budget)
            chunks.append(Chunk(sequence, start, start + size))
            self._shares.charge(sequence.tenant, size)
            budget -= size
        return chunks

    def _next(self) -> Sequence:
        """Who is admitted next: the oldest of the tenant that was served least, and runs least."""
        running = Counter(sequence.tenant for sequence in self._running.values())
        return min(
            self._waiting,
            key=lambda sequence: (self._shares.served(sequence.tenant), running[sequence.tenant]),
        )

    def _turn(self, sequence: Sequence) -> tuple[bool, int]:
        return sequence.pending > 1, self._shares.served(sequence.tenant)

    def can_admit(self, sequence: Sequence) -> bool:
        if self.holding or len(self._running) == self.max_sequences:
            return False
        return self.slots.can_take(sequence.room)

    def admit(self, sequence: Sequence, now: float) -> None:
        sequence.span = self.slots.take(sequence.room)
        sequence.admitted = now
        self._running[sequence.id] = sequence

    def drop(self, id: int) -> None:
        """Forget the sequence and take its slots back; no error where it has ended already."""
        sequence = self._running.pop(id, None)
        if sequence is None:
            self._waiting = deque(s for s in self._waiting if s.id != id)
        elif sequence.span is not None:
            self.slots.give(sequence.span)
            sequence.span = None

    def check(self) -> None:
        """Raise AssertionError unless the slots that are taken are those of what runs."""
        self.slots.check()
        rooms = sum(self.slots.size_of(sequence.room) for sequence in self._running.values())
        assert self.slots.free == self.slots.capacity - rooms, "slots of sequences that ended"
