"""Sequences that the generate lane computes, and the chunks of them that one step takes.

No torch here. A sequence's tokens have an index: it is the token's place in the sequence's span
of the KV cache.

    generate   prompt … | generated …                         index = position
    score      prefix … | continuation a | continuation b | …  see `scoring`
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence as Items
from dataclasses import dataclass

from .request import Finish, Finished, Generation
from .slots import Span

PREFIX = -1
"""The branch of tokens that every branch sees."""


class Sequence(ABC):
    """What the scheduler needs to know of work: how much room it takes, how much is to do."""

    def __init__(self, id: int, tenant: str = "") -> None:
        self.id = id
        self.tenant = tenant
        self.span: Span | None = None
        self.computed = 0
        """Tokens whose keys and values are in the cache."""
        self.admitted: float | None = None
        """When the sequence got its slots."""

    @property
    @abstractmethod
    def room(self) -> int:
        """Most slots that the sequence can come to need."""

    @property
    @abstractmethod
    def pending(self) -> int:
        """Tokens that can be computed now; one while an answer is generated."""

    @abstractmethod
    def ids(self, start: int, stop: int) -> Items[int]: ...

    @abstractmethod
    def positions(self, start: int, stop: int) -> Items[int]: ...

    @abstractmethod
    def branches(self, stop: int) -> Items[int] | None:
        """Which branch each of the first `stop` tokens belongs to; None: all to one.

        A token sees what is before it in the prefix and in its own branch.
        """

    @abstractmethod
    def wanted(self, start: int, stop: int) -> range:
        """Indices of start … stop whose logits are needed."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The tokens start … stop of a sequence, to be computed in one step."""

    sequence: Sequence
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    @property
    def ids(self) -> Items[int]:
        return self.sequence.ids(self.start, self.stop)

    @property
    def positions(self) -> Items[int]:
        return self.sequence.positions(self.start, self.stop)

    @property
    def wanted(self) -> range:
        return self.sequence.wanted(self.start, self.stop)


class GenerateSequence(Sequence):
    """A prompt and what has been generated after it."""

    def __init__(self, id: int, generation: Generation, seed: int, submitted: float) -> None:
        super().__init__(id, generation.tenant)
        self.generation = generation
        self.seed = seed
        self.tokens = list(generation.prompt)
        self.matcher = None if generation.grammar is None else generation.grammar.start()
        self._submitted = submitted
        self._first: float | None = None

    @property
    def generated(self) -> int:
        return len(self.tokens) - len(self.generation.prompt)

    @property
    def room(self) -> int:
        # The last token is given out and never computed.
        return len(self.generation.prompt) + self.generation.max_tokens - 1

    @property
    def pending(self) -> int:
        return len(self.tokens) - self.computed

    def ids(self, start: int, stop: int) -> Items[int]:
        return self.tokens[start:stop]

    def positions(self, start: int, stop: int) -> Items[int]:
        return range(start, stop)

    def branches(self, stop: int) -> Items[int] | None:
        return None

    def wanted(self, start: int, stop: int) -> range:
        return range(stop - 1, stop) if stop == len(self.tokens) else range(0)

    def append(self, token: int, now: float) -> Finish | None:
        """Take the token that was drawn; the reason where it is the end of the sequence.

        A token that stops the sequence is not kept.
        """
        if self._first is None:
            self._first = now
        if token in self.generation.stop_ids:
            return Finish.STOP
        self.tokens.append(token)
        if self.matcher is not None and self.matcher.take(token):
            return Finish.STOP
        return Finish.LENGTH if self.generated == self.generation.max_tokens else None

    def finished(self, reason: Finish, now: float) -> Finished:
        admitted = now if self.admitted is None else self.admitted
        first = now if self._first is None else self._first
        return Finished(
            reason=reason,
            prompt_tokens=len(self.generation.prompt),
            cached_tokens=0,
            completion_tokens=self.generated,
            queue_s=admitted - self._submitted,
            prefill_s=first - admitted,
            decode_s=now - first,
        )
