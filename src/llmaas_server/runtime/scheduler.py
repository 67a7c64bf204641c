"""Which sequences run in this step, and how many tokens of each. No torch here.

First come, first served: a sequence waits until the slots for its worst case are free, so that
nothing that runs ever has to be taken back.
"""

from __future__ import annotations

from collections import deque

from .sequence import Chunk, Sequence
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
        prompts, the oldest first, in chunks of what is left of the budget."""
        while self._waiting and self.can_admit(self._waiting[0]):
            self.admit(self._waiting.popleft(), now)
        budget = self.max_step_tokens
        chunks = []
        for sequence in sorted(self._running.values(), key=lambda sequence: sequence.pending > 1):
            if budget == 0:
                break
            start, size = sequence.computed, min(sequence.pending, budget)
            chunks.append(Chunk(sequence, start, start + size))
            budget -= size
        return chunks

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
