"""How near summaries come to references, and whether their sources support them."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from llmaas_client.client import Client
from llmaas_client.errors import ConfigurationError
from llmaas_client.wire.summarize import Length, Method, Strategy, Style, SummarizeResult

from .asking import Answered, Interrupted, Progress, Refused, in_order, one_of
from .baselines import NAMES, baselines
from .intervals import Interval, mean, wilson
from .origin import Origin
from .passages import count
from .rouge import Rouge, Scores
from .summarized import Comparison, SummarizeReport, SystemScores, Unsupported

OURS = "llmaas"
CONCURRENCY = 2
MOST_UNSUPPORTED = 200
"""Sentences that are kept with their reasons."""


@dataclass(frozen=True, slots=True)
class Referenced:
    """A text, the summaries that people wrote of it, and where it stands."""

    text: str
    references: Sequence[str]
    where: str
    focus: str | None = None
    """What the summary of this text is to be about."""


ReferencedRows: TypeAlias = Iterable[Referenced | tuple[str, str | Sequence[str]]]


def summarize(
    client: Client,
    rows: ReferencedRows,
    *,
    method: Method | None = None,
    length: Length | None = None,
    max_words: int | None = None,
    style: Style | None = None,
    focus: str | None = None,
    strict: bool | None = None,
    strategy: Strategy | None = None,
    model: str | None = None,
    skip_refused: bool = False,
    concurrency: int = CONCURRENCY,
    progress: Progress | None = None,
) -> SummarizeReport:
    """Summarize texts and compare with references, beside baselines of the same length.

    Args:
        rows: Pairs of a text and its reference, or several of them; or what `referenced` reads
            from a file. They are read once, as far as it takes.
        method, length, max_words, style, focus, strict, strategy, model: As for `client.summarize`.
        skip_refused: Leave out rows that the server refuses, and name them.
        concurrency: Requests under way.
        progress: Is called with the number of rows that are done.

    Raises:
        Interrupted: on Ctrl-C, with the report of what was done.
        ConfigurationError: for no rows, and where rouge-score is not installed.
        LLMaaSError: as `client.summarize` raises it.
    """
    tally = _Tally(Rouge())
    given = {
        "method": method,
        "length": length,
        "max_words": max_words,
        "style": style,
        "focus": focus,
        "strict": strict,
        "strategy": strategy,
        "model": model,
    }
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}

    def ask(row: Referenced) -> SummarizeResult:
        own: dict[str, Any] = {} if row.focus is None else {"focus": row.focus}
        return client.summarize(row.text, **options | own)

    def work(row: Referenced) -> Answered[Referenced, SummarizeResult]:
        return one_of(row, ask, row.where, skip_refused)

    try:
        with in_order(work, _placed(rows), concurrency) as results:
            for one in results:
                if isinstance(one.answer, Refused):
                    tally.refused.append(one.answer)
                else:
                    tally.add(one.item, one.answer)
                if progress is not None:
                    progress(tally.rows + len(tally.refused))
    except KeyboardInterrupt:
        done = tally.report(interrupted=True) if tally.rows else None
        raise Interrupted(tally.rows, done) from None
    if not tally.rows:
        if tally.refused:
            raise ConfigurationError(f"all rows were refused; {tally.refused[0].message}")
        raise ConfigurationError("there are no rows")
    return tally.report(interrupted=False)


def _placed(rows: ReferencedRows) -> Iterator[Referenced]:
    for number, row in enumerate(rows, start=1):
        if isinstance(row, Referenced):
            found = row
        else:
            references = [row[1]] if isinstance(row[1], str) else row[1]
            found = Referenced(row[0], references, f"row {number}")
        if not any(reference.strip() for reference in found.references):
            raise ConfigurationError(f"{found.where} has no reference")
        yield found


@dataclass(slots=True)
class _System:
    """Scores of one way to summarize, row by row."""

    rouge1: array[float] = field(default_factory=lambda: array("d"))
    rouge2: array[float] = field(default_factory=lambda: array("d"))
    rouge_lsum: array[float] = field(default_factory=lambda: array("d"))
    words: array[float] = field(default_factory=lambda: array("d"))

    def add(self, scores: Sequence[Scores], words: float) -> None:
        """The mean over drawings."""
        self.rouge1.append(_mean([one.rouge1 for one in scores]))
        self.rouge2.append(_mean([one.rouge2 for one in scores]))
        self.rouge_lsum.append(_mean([one.rouge_lsum for one in scores]))
        self.words.append(words)

    def figures(self, name: str) -> SystemScores:
        return SystemScores(
            name, mean(self.rouge1), mean(self.rouge2), mean(self.rouge_lsum), _mean(self.words)
        )

    def against(self, name: str, other: _System) -> Comparison:
        return Comparison(
            name,
            _ahead(self.rouge1, other.rouge1),
            _ahead(self.rouge2, other.rouge2),
            _ahead(self.rouge_lsum, other.rouge_lsum),
        )


class _Tally:
    def __init__(self, rouge: Rouge) -> None:
        self.rows = 0
        self.refused: list[Refused] = []
        self._rouge = rouge
        self._systems = {name: _System() for name in (OURS, *NAMES)}
        self._origin = Origin()
        self._unreadable = self._several = 0
        self._coverage = array("d")
        self._source_words = array("d")
        self._sentences = self._measured = self._supported = self._dropped = 0
        self._unsupported: list[Unsupported] = []

    def add(self, row: Referenced, result: SummarizeResult) -> None:
        self.rows += 1
        self._origin.add(result)
        references = [one for one in row.references if one.strip()]
        self._several += len(references) > 1
        self._unreadable += not any(self._rouge.can_read(one) for one in references)
        ours = [sentence.text for sentence in result.sentences] or [result.summary]
        words = count("\n".join(ours))
        self._systems[OURS].add([self._rouge.scores(ours, references)], words)
        for one in baselines(row.text, len(ours), words, row.where):
            scores = [self._rouge.scores(drawing, references) for drawing in one.drawings]
            lengths = [count("\n".join(drawing)) for drawing in one.drawings]
            self._systems[one.name].add(scores, _mean(lengths))
        self._coverage.append(result.coverage)
        self._source_words.append(count(row.text))
        self._dropped += result.dropped
        self._check(row, result)

    def _check(self, row: Referenced, result: SummarizeResult) -> None:
        for sentence in result.sentences:
            self._sentences += 1
            if sentence.supported is None:
                continue
            self._measured += 1
            self._supported += sentence.supported
            if not sentence.supported and len(self._unsupported) < MOST_UNSUPPORTED:
                self._unsupported.append(
                    Unsupported(row.where, sentence.text, sentence.support, tuple(sentence.reasons))
                )

    def report(self, *, interrupted: bool) -> SummarizeReport:
        ours = self._systems[OURS]
        return SummarizeReport(
            rows=self.rows,
            source=self._origin.source,
            several_references=self._several,
            unreadable=self._unreadable,
            systems=tuple(system.figures(name) for name, system in self._systems.items()),
            ahead=tuple(
                ours.against(name, system) for name, system in self._systems.items() if name != OURS
            ),
            source_words=_mean(self._source_words),
            coverage=_mean(self._coverage),
            least_coverage=min(self._coverage),
            sentences=self._sentences,
            measured=self._measured,
            supported=wilson(self._supported, self._measured) if self._measured else None,
            unsupported=tuple(self._unsupported),
            dropped=self._dropped,
            refused=tuple(self.refused),
            interrupted=interrupted,
        )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _ahead(ours: Sequence[float], theirs: Sequence[float]) -> Interval:
    """The mean difference with the interval of the paired bootstrap over the texts."""
    return mean([one - other for one, other in zip(ours, theirs, strict=True)])
