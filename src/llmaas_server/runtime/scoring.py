"""Continuations scored after one shared prefix, as one sequence. No torch here.

Continuations lie side by side after the prefix, and none sees another. Where they are many, they
come in waves: each wave overwrites what the one before left in the cache, and the prefix stays.

    index      0 … P-1   | P …             | …
    wave 1     prefix    | continuation a  | continuation b
    wave 2     (cached)  | continuation c  | …
    position   0 … P-1   | P, P+1, …       | P, P+1, …
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass

from .request import Scoring
from .sequence import PREFIX, Sequence


@dataclass(frozen=True, slots=True)
class Target:
    """One number to read: the log-probability of `token` at `offset` of a continuation."""

    continuation: int
    offset: int
    token: int


@dataclass(frozen=True, slots=True)
class Wave:
    """The prefix, and the continuations after it that are computed together; by index."""

    ids: list[int]
    positions: list[int]
    branches: list[int]
    targets: list[list[Target]]
    """What to read from the logits of each token, from the last one of the prefix on."""


class ScoreSequence(Sequence):
    """The waves of a `Scoring`, each of at most `most` tokens after the prefix.

    The last token of a continuation is scored and never computed. A continuation that is longer
    than `most` is a wave of its own.
    """

    def __init__(self, id: int, scoring: Scoring, most: int, tenant: str = "") -> None:
        super().__init__(id, tenant)
        self.scores = [[0.0] * len(tokens) for tokens in scoring.continuations]
        self._head = scoring.prefix
        self._prefix = len(scoring.prefix)
        self._waves = plan_waves(scoring, most)
        self._room = max(len(wave.ids) for wave in self._waves)

    @property
    def done(self) -> bool:
        return not self._waves

    @property
    def room(self) -> int:
        return self._room

    @property
    def pending(self) -> int:
        return len(self._waves[0].ids) - self.computed

    @property
    def answering(self) -> bool:
        return False

    @property
    def head(self) -> Items[int]:
        return self._head

    def ids(self, start: int, stop: int) -> Items[int]:
        return self._waves[0].ids[start:stop]

    def positions(self, start: int, stop: int) -> Items[int]:
        return self._waves[0].positions[start:stop]

    def branches(self, stop: int) -> Items[int] | None:
        return self._waves[0].branches[:stop] if stop > self._prefix else None

    def wanted(self, start: int, stop: int) -> range:
        return range(max(start, self._prefix - 1), stop)

    def targets(self, index: int) -> list[Target]:
        """What to read from the logits of the token at `index`, which is one of those wanted."""
        return self._waves[0].targets[index - self._prefix + 1]

    def advance(self) -> None:
        """Go on to the next wave where this one is computed."""
        if self.pending == 0:
            self._waves.pop(0)
            self.computed = self._prefix


def plan_waves(scoring: Scoring, most: int) -> list[Wave]:
    """Pack the continuations into waves, in their order; there is always a first one."""
    size = len(scoring.prefix)
    waves = [_wave_of(scoring.prefix)]
    for branch, tokens in enumerate(scoring.continuations):
        computed = tokens[:-1]
        used = len(waves[-1].ids) - size
        if computed and used and used + len(computed) > most:
            waves.append(_wave_of(scoring.prefix))
        wave = waves[-1]
        waves[0].targets[0].extend(Target(branch, 0, token) for token in tokens[:1])
        wave.ids.extend(computed)
        wave.positions.extend(range(size, size + len(computed)))
        wave.branches.extend([branch] * len(computed))
        wave.targets.extend([Target(branch, at, tokens[at])] for at in range(1, len(tokens)))
    return waves


def _wave_of(prefix: tuple[int, ...]) -> Wave:
    return Wave(list(prefix), list(range(len(prefix))), [PREFIX] * len(prefix), [[]])
