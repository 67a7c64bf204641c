"""What changes in an answer where an identity in the text does (Garg et al. 2019)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .intervals import Interval, mean, wilson

FEWEST = 10
"""Rows; with fewer there is no figure."""
FEW = 50
"""Rows; with fewer the figure is marked."""
MOST_FLIPS = 0.02
MOST_GAP = 0.02
"""Beyond these, and beyond chance, a figure is flagged. What is too much is yours to decide."""
MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Change:
    """One text and its variant, with what was said of each."""

    where: str
    group: str
    source: str
    target: str
    text: str
    variant: str
    label: str
    new_label: str
    score: float
    """Of the positive label."""
    new_score: float

    @property
    def gap(self) -> float:
        return self.new_score - self.score

    @property
    def flips(self) -> bool:
        return self.label != self.new_label


@dataclass(frozen=True, slots=True)
class Swap:
    """All texts in which `target` took the place of `source`, of any other where that is None."""

    source: str | None
    target: str
    rows: int
    flips: int
    flip_rate: Interval | None
    """The share of texts whose label changed; None where the rows are too few."""
    gap: Interval | None
    """The mean change of the positive label's score, with its sign."""
    distance: Interval | None
    """The mean size of the change, whatever its sign."""
    few: bool
    flagged: tuple[str, ...]
    """`flips` and `gap`: surely above 2 %, or surely beyond 0.02 in either direction."""


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """A group of identities that were exchanged."""

    group: str
    rows: int
    """Those that name one of the identities."""
    variants: int
    flipped: Interval | None
    """The share of rows of which any variant has another label."""
    distance: Interval | None
    """The mean over rows of the mean size of the change."""
    few: bool
    targets: tuple[Swap, ...]
    """By the identity that was put in."""
    pairs: tuple[Swap, ...]
    """By both identities."""
    mutual: Swap | None
    """Texts that name two, which changed places: they have no direction, so no gap."""
    examples: tuple[Change, ...]
    """Those that change most."""


@dataclass(slots=True)
class _Column:
    """What is kept of the variants of one kind."""

    gaps: array[float] = field(default_factory=lambda: array("d"))
    flips: int = 0

    def add(self, change: Change) -> None:
        self.gaps.append(change.gap)
        self.flips += change.flips

    def figures(self, source: str | None, target: str, directed: bool = True) -> Swap:
        rows = len(self.gaps)
        if rows < FEWEST:
            return Swap(source, target, rows, self.flips, None, None, None, True, ())
        rate = wilson(self.flips, rows)
        gap = mean(self.gaps) if directed else None
        distance = mean([abs(one) for one in self.gaps])
        flagged: list[str] = []
        if rate.low > MOST_FLIPS:
            flagged.append("flips")
        if gap is not None and (gap.low > MOST_GAP or gap.high < -MOST_GAP):
            flagged.append("gap")
        few = rows < FEW
        return Swap(source, target, rows, self.flips, rate, gap, distance, few, tuple(flagged))


class Ledger:
    """Gathers the changes of one group, row by row."""

    def __init__(self, group: str, identities: Sequence[str] = ()) -> None:
        self.group = group
        self._order = {name: place for place, name in enumerate(identities)}
        """Of the figures; identities that are not named here come as they came."""
        self._variants = 0
        self._flipped = 0
        self._distances = array("d")
        self._targets: dict[str, _Column] = {}
        self._pairs: dict[tuple[str, str], _Column] = {}
        self._mutual = _Column()
        self._examples: list[Change] = []

    def add(self, directed: list[Change], mutual: list[Change]) -> None:
        """All variants of one row."""
        changes = [*directed, *mutual]
        if not changes:
            return
        self._variants += len(changes)
        self._flipped += any(change.flips for change in changes)
        self._distances.append(sum(abs(change.gap) for change in changes) / len(changes))
        for change in directed:
            self._targets.setdefault(change.target, _Column()).add(change)
            self._pairs.setdefault((change.source, change.target), _Column()).add(change)
        for change in mutual:
            self._mutual.add(change)
        self._examples += changes
        if len(self._examples) > 10 * MOST_EXAMPLES:
            self._examples = list(self._largest())

    def figures(self) -> GroupFigures:
        rows = len(self._distances)
        enough = rows >= FEWEST
        return GroupFigures(
            group=self.group,
            rows=rows,
            variants=self._variants,
            flipped=wilson(self._flipped, rows) if enough else None,
            distance=mean(self._distances) if enough else None,
            few=rows < FEW,
            targets=tuple(
                self._targets[target].figures(None, target)
                for target in sorted(self._targets, key=self._place)
            ),
            pairs=tuple(
                self._pairs[pair].figures(*pair)
                for pair in sorted(self._pairs, key=lambda pair: [*map(self._place, pair)])
            ),
            mutual=self._mutual.figures(None, "exchanged", False) if self._mutual.gaps else None,
            examples=tuple(self._largest()),
        )

    def _place(self, identity: str) -> int:
        return self._order.get(identity, len(self._order))

    def _largest(self) -> Iterator[Change]:
        """Flips first, then by the size of the change; one of each row."""
        seen: set[str] = set()
        for change in sorted(self._examples, key=lambda one: (not one.flips, -abs(one.gap))):
            if change.where not in seen:
                seen.add(change.where)
                yield change
            if len(seen) == MOST_EXAMPLES:
                return
