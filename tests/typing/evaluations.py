"""Evaluations as type checkers see them. Checked by mypy and pyright; never run."""

from __future__ import annotations

from typing import assert_type

from llmaas_client import Client, evaluation
from llmaas_client.evaluation import (
    ClassifyReport,
    FairnessReport,
    Interval,
    Subgroups,
    SummarizeReport,
)


def classify(client: Client) -> None:
    report = evaluation.classify(client, [("good", "positive")], labels=["positive", "negative"])
    assert_type(report, ClassifyReport)
    assert_type(report.accuracy, Interval)
    assert_type(report.error, Interval | None)
    assert_type(report.html(), str)
    evaluation.classify(client, evaluation.labelled("a.csv"), classifier="mine")


def summarize(client: Client) -> None:
    report = evaluation.summarize(client, [("a text", ["one", "two"]), ("another", "one")])
    assert_type(report, SummarizeReport)
    assert_type(report.ahead[0].rouge1, Interval)
    evaluation.summarize(client, evaluation.referenced("a.jsonl"), length="short")


def fairness(client: Client) -> None:
    report = evaluation.fairness(client, ["he", ("she", "x"), evaluation.Case("x")], positive="x")
    assert_type(report, FairnessReport)
    assert_type(report.subgroups, Subgroups | None)
    evaluation.fairness(
        client, evaluation.cases("a.csv"), positive="x", groups=evaluation.shipped()
    )
