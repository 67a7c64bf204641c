"""The figures of labelled answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .asking import Refused
from .calibration import Bin, bins, calibration_error
from .intervals import Interval, wilson
from .origin import Source
from .report.base import Report
from .report.document import Document
from .tally import Tally

LEAST = 1e-12
"""A probability of 0 counts as this in the log-likelihood, which would be infinite."""
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3, 0.1)


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One label: its rows, how often it was said, and how well."""

    label: str
    rows: int
    said: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Confusion:
    label: str
    said: str
    rows: int
    share: float
    """Of the label's rows."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What takes no model: always the most frequent label; any label by chance (expected)."""

    name: str
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True)
class Selective:
    """If only the surest answers were given."""

    coverage: float
    threshold: float
    error: Interval


@dataclass(frozen=True, slots=True)
class ClassifyReport(Report):
    """How often `classify` was right."""

    rows: int
    labels: tuple[str, ...]
    source: Source
    accuracy: Interval
    macro_f1: float
    baselines: tuple[Baseline, ...]
    classes: tuple[ClassFigures, ...]
    confusions: tuple[Confusion, ...]
    """Wrong answers by pairs of labels, the most frequent first."""
    ece: Interval
    brier: float
    nll: float
    bins: tuple[Bin, ...]
    coverage: Interval
    """The share of rows that were answered."""
    error: Interval | None
    """Of what was answered; None where nothing was."""
    selective: tuple[Selective, ...]
    refused: tuple[Refused, ...]
    interrupted: bool

    def document(self) -> Document:
        from .report.classified import page

        return page(self)


def report(answers: Tally, *, interrupted: bool) -> ClassifyReport:
    """The figures of answers, of which there is one at least."""
    names = list(answers.labels)
    pairs = Counter(zip(answers.truth, answers.said, strict=True))
    rows = len(answers.truth)
    correct = [one == other for one, other in zip(answers.truth, answers.said, strict=True)]
    classes = _classes(names, pairs)
    answered = sum(answers.answered)
    wrong = sum(not right for right, given in zip(correct, answers.answered, strict=True) if given)
    return ClassifyReport(
        rows=rows,
        labels=tuple(names),
        source=answers.origin.source,
        accuracy=wilson(sum(correct), rows),
        macro_f1=_macro(classes),
        baselines=_baselines(Counter(answers.truth), names),
        classes=classes,
        confusions=_confusions(names, pairs),
        ece=calibration_error(answers.confidence, correct),
        brier=math.fsum(answers.brier) / rows,
        nll=-math.fsum(math.log(max(one, LEAST)) for one in answers.of_truth) / rows,
        bins=bins(answers.confidence, correct),
        coverage=wilson(answered, rows),
        error=wilson(wrong, answered) if answered else None,
        selective=_selective(answers.confidence, correct),
        refused=tuple(answers.refused),
        interrupted=interrupted,
    )


def _classes(names: Sequence[str], pairs: Counter[tuple[int, int]]) -> tuple[ClassFigures, ...]:
    """Those that occur, as a label of a row or as an answer."""
    there: Counter[int] = Counter()
    said: Counter[int] = Counter()
    for (truth, answer), count in pairs.items():
        there[truth] += count
        said[answer] += count
    found: list[ClassFigures] = []
    for index, name in enumerate(names):
        rows, times, right = there[index], said[index], pairs[index, index]
        if rows or times:
            f1 = 2 * right / (rows + times)
            precision = right / times if times else 0.0
            recall = right / rows if rows else 0.0
            found.append(ClassFigures(name, rows, times, precision, recall, f1))
    return tuple(found)


def _macro(classes: Sequence[ClassFigures]) -> float:
    return sum(one.f1 for one in classes) / len(classes)


def _confusions(names: Sequence[str], pairs: Counter[tuple[int, int]]) -> tuple[Confusion, ...]:
    there: Counter[int] = Counter()
    for (truth, _), count in pairs.items():
        there[truth] += count
    wrong = [(count, pair) for pair, count in pairs.items() if pair[0] != pair[1]]
    wrong.sort(key=lambda one: (-one[0], one[1]))
    return tuple(
        Confusion(names[truth], names[said], count, count / there[truth])
        for count, (truth, said) in wrong
    )


def _baselines(there: Counter[int], names: Sequence[str]) -> tuple[Baseline, ...]:
    rows, count = there.total(), len(names)
    most, hits = min(there.items(), key=lambda one: (-one[1], one[0]))
    present = len(there)
    majority = 2 * hits / (rows + hits) / present
    # In the mean, chance says each label as often: precision is a label's share, recall 1/labels.
    shares = [there[index] / rows for index in range(count)]
    chance = sum(2 * share / (1 + share * count) for share in shares) / count
    return (
        Baseline(f"always {names[most]!r}, the most frequent", hits / rows, majority),
        Baseline("by chance, each label as often (expected)", 1 / count, chance),
    )


def _selective(confidence: Sequence[float], correct: Sequence[bool]) -> tuple[Selective, ...]:
    order = sorted(range(len(confidence)), key=lambda index: -confidence[index])
    found: list[Selective] = []
    errors = done = 0
    for wanted in sorted(COVERAGES):
        end = max(1, round(wanted * len(order)))
        # Equal scores are answered or withheld together.
        while end < len(order) and confidence[order[end]] == confidence[order[end - 1]]:
            end += 1
        if end <= done:
            continue
        errors += sum(not correct[index] for index in order[done:end])
        done = end
        found.append(Selective(end / len(order), confidence[order[end - 1]], wilson(errors, end)))
    return tuple(reversed(found))
