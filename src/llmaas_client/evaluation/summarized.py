"""The figures of summaries."""

from __future__ import annotations

from dataclasses import dataclass

from .asking import Refused
from .intervals import Interval
from .origin import Source
from .report.base import Report
from .report.document import Document


@dataclass(frozen=True, slots=True)
class SystemScores:
    """A way to summarize: its ROUGE F-measures from 0 to 1, and its words in the mean."""

    name: str
    rouge1: Interval
    rouge2: Interval
    rouge_lsum: Interval
    words: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far the summaries are ahead of a baseline: mean differences, by paired bootstrap."""

    baseline: str
    rouge1: Interval
    rouge2: Interval
    rouge_lsum: Interval


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A sentence that its text does not support."""

    where: str
    text: str
    support: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SummarizeReport(Report):
    """How near summaries come to references, and how well their texts support them."""

    rows: int
    source: Source
    several_references: int
    """Rows with more than one; the best of them counts, for each measure by itself."""
    unreadable: int
    """Rows whose references have nothing that ROUGE counts."""
    systems: tuple[SystemScores, ...]
    """The summaries first, then the baselines."""
    ahead: tuple[Comparison, ...]
    source_words: float
    coverage: float
    """The share of the texts that a model read, in the mean."""
    least_coverage: float
    sentences: int
    measured: int
    """Sentences whose support was measured."""
    supported: Interval | None
    """The share of them that is supported."""
    unsupported: tuple[Unsupported, ...]
    """The first of the others."""
    dropped: int
    """Sentences that `strict` left out."""
    refused: tuple[Refused, ...]
    interrupted: bool

    def document(self) -> Document:
        from .report.summarized import page

        return page(self)
