"""The page of labelled answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .curve import Curve
from .document import Block, Document, Drawing, Grid, Heading, Paragraph, Points, share
from .dots import Dots
from .source import about, spread, unanswered
from .svg import Dot

if TYPE_CHECKING:
    from llmaas_client.evaluation.classified import ClassifyReport

MOST_CONFUSIONS = 20
MOST_CLASSES_DRAWN = 40
FEW_OF_A_LABEL = 20
FEW_FOR_CALIBRATION = 200


def page(report: ClassifyReport) -> Document:
    return Document("Evaluation of classify", list(_blocks(report)))


def _blocks(report: ClassifyReport) -> Iterator[Block]:
    yield from about(report.source, report.rows, report.interrupted)
    yield _figures(report)
    if notes := list(_notes(report)):
        yield Points(notes)
    yield Heading("Labels")
    yield from _labels(report)
    if report.confusions:
        yield Heading("Taken for another")
        rows = [
            (one.label, one.said, str(one.rows), share(one.share))
            for one in report.confusions[:MOST_CONFUSIONS]
        ]
        yield Grid(("label", "taken for", "rows", "of the label's rows"), rows, words=(0, 1))
        if (more := len(report.confusions) - MOST_CONFUSIONS) > 0:
            yield Paragraph(f"{more} more pairs of labels are in report.json.")
    yield Heading("Do the scores keep their word?")
    yield from _calibration(report)
    yield Heading("If only the surest were answered")
    yield from _selective(report)
    yield from unanswered(report.refused)


def _figures(report: ClassifyReport) -> Grid:
    rows = [
        ("accuracy", share(report.accuracy.value), spread(report.accuracy)),
        ("macro F1", f"{report.macro_f1:.3f}", ""),
        ("calibration error (ECE)", share(report.ece.value), spread(report.ece)),
        ("Brier score", f"{report.brier:.3f}", ""),
        ("negative log-likelihood", f"{report.nll:.3f}", ""),
        ("answered", share(report.coverage.value), spread(report.coverage)),
    ]
    if report.error is not None:
        rows.append(("wrong among the answered", share(report.error.value), spread(report.error)))
    for one in report.baselines:
        rows.append((f"accuracy, {one.name}", share(one.accuracy), ""))
        rows.append((f"macro F1, {one.name}", f"{one.macro_f1:.3f}", ""))
    return Grid(("figure", "value", "95 % interval"), rows)


def _notes(report: ClassifyReport) -> Iterator[str]:
    yield (
        "Accuracy, macro F1, confusions and calibration look at the best label of every row, "
        "answered or not. Macro F1 is the mean over the labels that occur."
    )
    majority = report.baselines[0]
    if report.accuracy.low <= majority.accuracy:
        yield (
            f"Not shown to be better than {majority.name}: {share(majority.accuracy)} lies "
            "within or above the interval of the accuracy."
        )
    few = [one.label for one in report.classes if 0 < one.rows < FEW_OF_A_LABEL]
    if few:
        named = ", ".join(repr(label) for label in few[:5]) + (", …" if len(few) > 5 else "")
        yield f"Labels with fewer than {FEW_OF_A_LABEL} rows say little: {named}."
    seen = {one.label for one in report.classes if one.rows}
    if absent := [label for label in report.labels if label not in seen]:
        named = ", ".join(repr(label) for label in absent[:5]) + (", …" if len(absent) > 5 else "")
        yield f"No row has {'this label' if len(absent) == 1 else 'these labels'}: {named}."


def _labels(report: ClassifyReport) -> Iterator[Block]:
    rows = [
        (
            one.label,
            str(one.rows),
            str(one.said),
            share(one.precision),
            share(one.recall),
            f"{one.f1:.3f}",
        )
        for one in report.classes
    ]
    yield Grid(("label", "rows", "said", "precision", "recall", "F1"), rows)
    if len(report.classes) <= MOST_CLASSES_DRAWN:
        from llmaas_client.evaluation.intervals import wilson

        intervals = [
            wilson(round(one.recall * one.rows), one.rows) if one.rows else None
            for one in report.classes
        ]
        dots = [None if one is None else Dot(one.value, one.low, one.high) for one in intervals]
        names = [one.label for one in report.classes]
        plot = Dots(names, [("recall", dots)], "of the label's rows found", (0.0, 1.0), True)
        yield Drawing("labels", plot, "How many rows of each label were found, with 95 % intervals")


def _calibration(report: ClassifyReport) -> Iterator[Block]:
    yield Paragraph(
        f"Calibration, as the server states it: {report.source.calibration}. Where scores were "
        "probabilities, the points would lie on the line: of answers with a score of 70 %, 70 % "
        "would be right. The calibration error is the mean distance from it over "
        f"{len(report.bins)} bins with as many rows each; its interval is that of the bootstrap."
    )
    if report.rows < FEW_FOR_CALIBRATION:
        yield Paragraph(
            f"With fewer than {FEW_FOR_CALIBRATION} rows the calibration error is mostly noise."
        )
    points = [
        (one.confidence, Dot(one.accuracy.value, one.accuracy.low, one.accuracy.high))
        for one in report.bins
    ]
    plot = Curve(points, "score of the best label", "of these, right", equal=True)
    yield Drawing("reliability", plot, "Reliability: how often answers of each score were right")
    rows = [
        (
            f"{one.lowest:.3f} to {one.highest:.3f}",
            str(one.rows),
            share(one.confidence),
            share(one.accuracy.value),
            spread(one.accuracy),
        )
        for one in report.bins
    ]
    yield Grid(("scores", "rows", "mean score", "right", "95 % interval"), rows, detail=True)


def _selective(report: ClassifyReport) -> Iterator[Block]:
    rows = [
        (share(one.coverage), f"{one.threshold:.3f}", share(one.error.value), spread(one.error))
        for one in report.selective
    ]
    yield Grid(("answered", "threshold", "wrong of these", "95 % interval"), rows, words=())
    points = [
        (one.coverage, Dot(one.error.value, one.error.low, one.error.high))
        for one in reversed(report.selective)
    ]
    top = max(one.error.high for one in report.selective)
    plot = Curve(points, "answered", "wrong of these", joined=True, most=max(0.05, top))
    yield Drawing("selective", plot, "How wrong the answers are when only the surest are given")
    yield Paragraph(
        "These thresholds were chosen on the same rows that they are measured on. For one that "
        "comes with a promise, make a classifier from examples and use its max_error."
    )
