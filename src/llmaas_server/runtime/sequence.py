"""Sequences that the generate lane computes, and the chunks of them that one step takes.

No torch here. A sequence's tokens have an index: token `i` is the token `i % size` of the
sequence's block `i // size` in the KV cache.

    generate   prompt … | generated … | draft …               index = position
    score      prefix … | continuation a | continuation b | …  see `scoring`

A draft is a guess at the next tokens (see `drafts`): computed with the token before it, and kept
as far as the model would have said the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence as Items
from dataclasses import dataclass

from .blocks import Prefix
from .drafts import Drafts
from .request import Finish, Finished, Generation

PREFIX = -1
"""The branch of tokens that every branch sees."""


class Sequence(ABC):
    """What the scheduler needs to know of work: how much room it takes, how much is to do."""

    def __init__(self, id: int, tenant: str = "") -> None:
        self.id = id
        self.tenant = tenant
        self.blocks: list[int] = []
        """Of the KV cache, that the sequence holds."""
        self.prefix: Prefix | None = None
        """The keys of its blocks."""
        self.published = 0
        """Blocks that others can use, too."""
        self.computed = 0
        """Tokens whose keys and values are in the cache."""
        self.cached = 0
        """Tokens that were there before the sequence came."""
        self.charged = 0
        """Tokens that its tenant has been charged: none twice, where some are computed again."""
        self.admitted: float | None = None
        """When the sequence first got blocks."""

    @property
    @abstractmethod
    def room(self) -> int:
        """Most tokens of it that can come to be in the cache."""

    @property
    @abstractmethod
    def pending(self) -> int:
        """Tokens that can be computed now; while an answer is generated, one and a draft."""

    @property
    @abstractmethod
    def answering(self) -> bool:
        """Whether the next token waits for nothing but its step."""

    @property
    @abstractmethod
    def head(self) -> Items[int]:
        """Its first tokens, whose blocks may be shared with sequences that begin alike."""

    def guess(self, most: int) -> None:
        """Draft the next tokens, `most` at most, where there is something to guess."""
        return

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
        self.draft: list[int] = []
        self.matcher = None if generation.grammar is None else generation.grammar.start()
        # What a grammar allows after a draft is not known before the draft is taken.
        self._drafts = Drafts() if generation.grammar is None else None
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
        return len(self.tokens) + len(self.draft) - self.computed

    @property
    def answering(self) -> bool:
        return self.computed == len(self.tokens) - 1

    @property
    def head(self) -> Items[int]:
        return self.tokens

    def ids(self, start: int, stop: int) -> Items[int]:
        if stop <= len(self.tokens):
            return self.tokens[start:stop]
        return (self.tokens + self.draft)[start:stop]

    def positions(self, start: int, stop: int) -> Items[int]:
        return range(start, stop)

    def branches(self, stop: int) -> Items[int] | None:
        return None

    def wanted(self, start: int, stop: int) -> range:
        return range(max(start, len(self.tokens) - 1), stop)

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

    def guess(self, most: int) -> None:
        self.draft = []
        if self.answering and self._drafts is not None:
            # One token is always drawn after the draft.
            most = min(most, self.generation.max_tokens - self.generated - 1)
            self.draft = self._drafts.after(self.tokens, most)

    def settle(self, drafted: int, taken: int) -> None:
        """Of the draft, `drafted` tokens were computed, and the first `taken` were right."""
        self.draft = []
        if drafted and self._drafts is not None:
            self._drafts.learn(drafted, taken)

    def finished(self, reason: Finish, now: float) -> Finished:
        admitted = now if self.admitted is None else self.admitted
        first = now if self._first is None else self._first
        return Finished(
            reason=reason,
            prompt_tokens=len(self.generation.prompt),
            cached_tokens=self.cached,
            completion_tokens=self.generated,
            queue_s=admitted - self._submitted,
            prefill_s=first - admitted,
            decode_s=now - first,
        )
