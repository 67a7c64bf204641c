"""Accounts of KV memory: which slots are taken. A slot holds one token in every layer.

No torch here: `cache` holds the tensors, this file holds the books.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Neighbouring slots: start, start + 1, … stop - 1."""

    start: int
    size: int

    @property
    def stop(self) -> int:
        return self.start + self.size


class Slots:
    """Hands out spans of neighbouring slots, first fit; given back, they grow together again.

    One span a sequence, so that attention reads its keys and values in place:

        0        start   stop                capacity
        | taken | free  | taken | free       |
    """

    def __init__(self, capacity: int, grain: int = 1) -> None:
        self.grain = grain
        """Every span begins at a multiple of it, and has a multiple of it in size."""
        self.capacity = capacity = max(0, capacity) // grain * grain
        self._free = [Span(0, capacity)] if capacity > 0 else []
        self._taken: set[Span] = set()

    @property
    def free(self) -> int:
        return sum(span.size for span in self._free)

    def size_of(self, slots: int) -> int:
        """What is taken where so many slots are needed."""
        return -(-slots // self.grain) * self.grain

    def can_take(self, size: int) -> bool:
        size = self.size_of(size)
        return any(span.size >= size for span in self._free)

    def take(self, size: int) -> Span:
        """At least `size` neighbouring slots; assumes that `can_take` said yes."""
        size = self.size_of(size)
        at = next(i for i, span in enumerate(self._free) if span.size >= size)
        found = self._free.pop(at)
        if found.size > size:
            self._free.insert(at, Span(found.start + size, found.size - size))
        span = Span(found.start, size)
        self._taken.add(span)
        return span

    def give(self, span: Span) -> None:
        self._taken.remove(span)
        insort(self._free, span)
        at = self._free.index(span)
        if at + 1 < len(self._free) and self._free[at + 1].start == span.stop:
            span = Span(span.start, span.size + self._free.pop(at + 1).size)
            self._free[at] = span
        if at > 0 and self._free[at - 1].stop == span.start:
            before = self._free.pop(at - 1)
            self._free[at - 1] = Span(before.start, before.size + span.size)

    def check(self) -> None:
        """Raise AssertionError unless every slot is either free or taken, and exactly once."""
        end = 0
        for span in sorted([*self._free, *self._taken]):
            assert span.size > 0, f"empty span {span}"
            assert span.start == end, f"slots {end} to {span.start} are lost or counted twice"
            end = span.stop
        assert end == self.capacity, f"slots end at {end} of {self.capacity}"
