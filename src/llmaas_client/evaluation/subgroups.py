"""AUC by identity term: whether texts that name it are ranked with the rest (Dixon et al. 2018;
Borkan et al. 2019).

    subgroup  texts that name the term alone
    BPSN      positives that do not name it against negatives that do: low where the term itself
              raises scores, so that harmless texts are taken for the positive label
    BNSP      negatives that do not name it against positives that do: low where the term lowers
              scores
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from .intervals import Interval
from .ranking import auc

FEWEST = 10
"""Positives and negatives; with fewer there is no figure."""
FEW = 50
"""Of either; with fewer the figure is marked."""
BELOW = 0.05
"""So far under the median of all terms an AUC is flagged."""


@dataclass(frozen=True, slots=True)
class TermFigures:
    """A term: None stands where its rows were too few."""

    term: str
    positives: int
    """Rows that name it and have the positive label."""
    negatives: int
    subgroup: Interval | None
    bpsn: Interval | None
    bnsp: Interval | None
    flagged: tuple[str, ...]
    """`bpsn` or `bnsp` where it is more than 0.05 under the median of the terms."""
    few: bool


@dataclass(frozen=True, slots=True)
class Subgroups:
    """Of rows that have labels."""

    rows: int
    positives: int
    overall: Interval | None
    terms: tuple[TermFigures, ...]
    """Those that a row names, the lowest BPSN first."""
    median_bpsn: float | None
    median_bnsp: float | None


class Scores:
    """Scores of labelled rows with the terms that they name."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._scores = array("d")
        self._positive = array("b")
        self._rows: dict[str, array[int]] = {term: array("l") for term in terms}

    def __len__(self) -> int:
        return len(self._scores)

    def add(self, score: float, positive: bool, terms: set[str]) -> None:
        for term in terms:
            self._rows[term].append(len(self._scores))
        self._scores.append(score)
        self._positive.append(positive)

    def figures(self) -> Subgroups:
        found = list(self._terms())
        bpsn, bnsp = _median(one.bpsn for one in found), _median(one.bnsp for one in found)
        flagged = [
            TermFigures(
                one.term,
                one.positives,
                one.negatives,
                one.subgroup,
                one.bpsn,
                one.bnsp,
                tuple(_flags(one, bpsn, bnsp)),
                one.few,
            )
            for one in found
        ]
        flagged.sort(
            key=lambda one: (one.bpsn is None, one.bpsn.value if one.bpsn else 0, one.term)
        )
        positives, negatives = self._split(range(len(self)))
        return Subgroups(
            rows=len(self),
            positives=len(positives),
            overall=_auc(positives, negatives),
            terms=tuple(flagged),
            median_bpsn=bpsn,
            median_bnsp=bnsp,
        )

    def _terms(self) -> Iterator[TermFigures]:
        for term, rows in self._rows.items():
            if not rows:
                continue
            inside = set(rows)
            positives, negatives = self._split(rows)
            others = [index for index in range(len(self)) if index not in inside]
            background = self._split(others)
            yield TermFigures(
                term=term,
                positives=len(positives),
                negatives=len(negatives),
                subgroup=_auc(positives, negatives),
                bpsn=_auc(background[0], negatives),
                bnsp=_auc(positives, background[1]),
                flagged=(),
                few=min(len(positives), len(negatives)) < FEW,
            )

    def _split(self, rows: Sequence[int]) -> tuple[list[float], list[float]]:
        """Scores of positives and of negatives."""
        positives = [self._scores[index] for index in rows if self._positive[index]]
        return positives, [self._scores[index] for index in rows if not self._positive[index]]


def _auc(positives: Sequence[float], negatives: Sequence[float]) -> Interval | None:
    if min(len(positives), len(negatives)) < FEWEST:
        return None
    return auc(positives, negatives)


def _median(figures: Iterator[Interval | None]) -> float | None:
    values = [figure.value for figure in figures if figure is not None]
    return median(values) if values else None


def _flags(one: TermFigures, bpsn: float | None, bnsp: float | None) -> Iterator[str]:
    for name, figure, middle in (("bpsn", one.bpsn, bpsn), ("bnsp", one.bnsp, bnsp)):
        if figure is not None and middle is not None and figure.value < middle - BELOW:
            yield name
