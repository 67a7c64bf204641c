"""The page of summaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .document import Block, Document, Drawing, Grid, Heading, Paragraph, Points, share
from .dots import Dots
from .source import about, spread, unanswered
from .svg import Dot

if TYPE_CHECKING:
    from llmaas_client.evaluation.intervals import Interval
    from llmaas_client.evaluation.summarized import SummarizeReport

MOST_UNSUPPORTED = 20
FEW = 30


def page(report: SummarizeReport) -> Document:
    return Document("Evaluation of summarize", list(_blocks(report)))


def _blocks(report: SummarizeReport) -> Iterator[Block]:
    yield from about(report.source, report.rows, report.interrupted)
    yield Heading("How near the references")
    rows = [
        (
            one.name,
            _score(one.rouge1),
            _score(one.rouge2),
            _score(one.rouge_lsum),
            f"{one.words:.1f}",
        )
        for one in report.systems
    ]
    yield Grid(("summaries", "ROUGE-1", "ROUGE-2", "ROUGE-Lsum", "words"), rows)
    yield _plot(report)
    yield Heading("Ahead of what takes no model")
    ahead = [
        (one.baseline, _ahead(one.rouge1), _ahead(one.rouge2), _ahead(one.rouge_lsum))
        for one in report.ahead
    ]
    yield Grid(("than", "ROUGE-1", "ROUGE-2", "ROUGE-Lsum"), ahead)
    yield Points(list(_notes(report)))
    yield Heading("What they rest on")
    yield from _support(report)
    yield from unanswered(report.refused)


def _plot(report: SummarizeReport) -> Drawing:
    names = [one.name for one in report.systems]
    series = [
        ("ROUGE-1", [_dot(one.rouge1) for one in report.systems]),
        ("ROUGE-2", [_dot(one.rouge2) for one in report.systems]),
        ("ROUGE-Lsum", [_dot(one.rouge_lsum) for one in report.systems]),
    ]
    plot = Dots(names, series, "ROUGE F", (0.0, 1.0), percent=True)
    return Drawing("rouge", plot, "ROUGE beside the baselines, with 95 % intervals over the texts")


def _notes(report: SummarizeReport) -> Iterator[str]:
    yield (
        "ROUGE F-measures by rouge-score with its stemmer, summary-level ROUGE-L with a sentence a "
        "line. Differences are means over the texts with the 95 % interval of a paired bootstrap; "
        "where it has 0 in it, no difference is shown."
    )
    if report.several_references:
        yield (
            f"{report.several_references} rows have several references: the best of them counts, "
            "for each measure by itself."
        )
    if report.unreadable:
        yield (
            f"{report.unreadable} rows have references without a letter of a-z, a digit or a "
            "Chinese or Japanese character; ROUGE finds nothing there."
        )
    if report.rows < FEW:
        yield f"{report.rows} texts are few: intervals of a bootstrap over them are too narrow."
    yield (
        "ROUGE counts words in common with a reference. It says nothing of whether a summary is "
        "true, and it rises with length up to that of the reference."
    )


def _support(report: SummarizeReport) -> Iterator[Block]:
    rows = [
        ("words of a text, mean", f"{report.source_words:.1f}"),
        ("words of a summary, mean", f"{report.systems[0].words:.1f}"),
        ("coverage, mean", share(report.coverage)),
        ("coverage, least", share(report.least_coverage)),
        ("sentences", str(report.sentences)),
        ("sentences whose support was measured", str(report.measured)),
    ]
    if report.supported is not None:
        told = f"{share(report.supported.value)} ({spread(report.supported)})"
        rows.append(("of these supported by the text", told))
    if report.dropped:
        rows.append(("sentences that were dropped", str(report.dropped)))
    yield Grid(("figure", "value"), rows)
    if report.unsupported:
        yield Paragraph("Sentences that their texts do not support:")
        shown = [
            (
                one.where,
                one.text,
                "-" if one.support is None else f"{one.support:.2f}",
                "; ".join(one.reasons),
            )
            for one in report.unsupported[:MOST_UNSUPPORTED]
        ]
        yield Grid(("row", "sentence", "support", "why"), shown, words=(0, 1, 3))
        if (more := len(report.unsupported) - MOST_UNSUPPORTED) > 0:
            yield Paragraph(f"{more} more are in report.json.")


def _dot(figure: Interval) -> Dot:
    return Dot(figure.value, figure.low, figure.high)


def _score(figure: Interval) -> str:
    return f"{100 * figure.value:.1f}"


def _ahead(figure: Interval) -> str:
    value, low, high = (100 * one for one in (figure.value, figure.low, figure.high))
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"
