"""A text that is explained, and the hunt for a change that flips its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmaas_client.wire.explanations import MAX_FLIP_TEXTS, MAX_REMOVED
from llmaas_server.tasks.classifiers.base import Judged
from llmaas_server.tasks.classifiers.decision import Rules

from .flips import Found, Removal, search
from .plan import Parted


@dataclass(frozen=True, slots=True)
class Subject:
    """A text, its label that is explained, and what was said of it and of its parts."""

    parted: Parted
    label: int
    judged: Judged
    number: int
    """Of the text among those judged."""
    first: int | None
    """Of the text without its first unit, which those without the others follow; None where
    nothing was left out."""

    @property
    def row(self) -> list[float]:
        """The scores of all labels."""
        row: list[float] = self.judged.scores[self.number].tolist()
        return row

    @property
    def score(self) -> float:
        return self.row[self.label]

    @property
    def variants(self) -> range:
        """Those without one unit, among those judged."""
        first = self.first or 0
        return range(first, first + (0 if self.first is None else len(self.parted.units)))

    @property
    def losses(self) -> list[float] | None:
        """What the label's score loses without each unit; None where nothing was left out."""
        if self.first is None:
            return None
        without = self.judged.scores[self.variants, self.label]
        losses: list[float] = (self.score - without).tolist()
        return losses

    def weighed(self, scores: Sequence[float]) -> list[dict[str, Any]]:
        """The units with these scores, as results have them."""
        return [
            {**span, "score": score}
            for span, score in zip(self.spans(range(len(self.parted.units))), scores, strict=True)
        ]

    def spans(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Units as results have them."""
        text, units = self.parted.text, self.parted.units
        return [
            {"start": one.start, "end": one.end, "text": text[one.start : one.end]}
            for one in (units[number] for number in numbers)
        ]


class Hunt:
    """A search for a flip of one text: what it wants to have judged, and what it has found.

    The answer flips where its label no longer stands as it stood: best or not, and where labels
    are judged alone, holding or not.
    """

    def __init__(self, subject: Subject, scores: Sequence[float], rules: Rules) -> None:
        """`scores`: how much each unit speaks for the label."""
        self.subject = subject
        self.wanted: list[Removal] = []
        """To be judged next; empty at the end."""
        self.tries = 0
        self._rules = rules
        self._stood = rules.holds(subject.label, subject.row)
        self._seen: dict[Removal, tuple[Judged, int]] = {}
        """Removals that flip the answer, and where they were judged."""
        self._found: Found | None = None
        # Without words that speak for what stands, the label falls; else it may rise.
        sign = 1 if self._stood else -1
        ranked = sorted(range(len(scores)), key=lambda number: -sign * scores[number])
        most = min(MAX_REMOVED, len(scores) - 1)  # Nothing would be left without all of them.
        self._search = search(ranked, most, MAX_FLIP_TEXTS, self._alone(ranked))
        self._go_on(None)

    def tell(self, judged: Judged, start: int) -> None:
        """What was said of the texts wanted, which begin at `start`."""
        flips: list[bool] = []
        for number, removal in enumerate(self.wanted, start):
            flips.append(self._flips(judged, number))
            if flips[-1]:
                self._seen[removal] = judged, number
        self.tries += len(flips)
        self._go_on(flips)

    def flip(self) -> dict[str, Any] | None:
        """The flip as results have it; also of a search that was left early."""
        if self._found is not None:
            removed, minimal = self._found.removed, self._found.minimal
        elif self._seen:
            removed, minimal = min(self._seen, key=len), False
        else:
            return None
        answer = self._rules.answer(*self._seen[removed])
        return {
            "text": self.subject.parted.without(removed),
            "removed": self.subject.spans(sorted(removed)),
            "label": answer["label"],
            "score": answer["score"],
            "minimal": minimal,
        }

    def _alone(self, ranked: Sequence[int]) -> list[int] | None:
        """Units without each of which the answer is another; None where nobody has looked."""
        subject = self.subject
        if subject.first is None:
            return None
        if len(ranked) == 1:
            return []
        self.tries += len(ranked)
        alone = [
            number for number in ranked if self._flips(subject.judged, subject.variants[number])
        ]
        for number in alone:
            self._seen[frozenset([number])] = subject.judged, subject.variants[number]
        return alone

    def _flips(self, judged: Judged, number: int) -> bool:
        row = judged.scores[number].tolist()
        return self._rules.holds(self.subject.label, row) != self._stood

    def _go_on(self, flips: list[bool] | None) -> None:
        try:
            # A generator that has not begun takes None alone.
            self.wanted = self._search.send(flips)  # type: ignore[arg-type]
        except StopIteration as end:
            self.wanted, self._found = [], end.value
