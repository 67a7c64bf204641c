"""Labelled answers: figures that can be computed by hand, and rows that go wrong."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping

import pytest

from llmaas_client import Client, ConfigurationError, ContextOverflow, TooFewLabels, evaluation
from llmaas_client.evaluation import Interrupted, Labelled, Prediction
from support import answers
from support.http_server import Exchange, serving
from support.judging import handler, judging

LABELS = ["cat", "dog", "emu"]


def judge(text: str) -> Mapping[str, float]:
    """`dog 0.7` says dog with 0.7, and shares the rest evenly."""
    label, score = text.split()[:2]
    rest = (1 - float(score)) / 2
    return {name: float(score) if name == label else rest for name in LABELS}


# (what is said and how surely, truth)
ROWS = [
    ("cat 0.8", "cat"),
    ("cat 0.9", "cat"),
    ("dog 0.6", "cat"),
    ("dog 0.5", "dog"),
    ("cat 0.4", "dog"),
    ("dog 0.7", "dog"),
    ("cat 0.5", "emu"),
    ("emu 1.0", "emu"),
]


def test_figures_by_hand() -> None:
    with judging(judge) as (client, server):
        report = evaluation.classify(client, ROWS, labels=LABELS, batch=3)
        assert sorted(len(request.json["text"]) for request in server.requests) == [2, 3, 3]
    assert report.rows == 8
    assert report.labels == ("cat", "dog", "emu")
    assert report.accuracy.value == 5 / 8
    # precision, recall and F1: cat 2/4 and 2/3, dog 2/3 and 2/3, emu 1/1 and 1/2
    assert [(one.label, one.rows, one.said) for one in report.classes] == [
        ("cat", 3, 4),
        ("dog", 3, 3),
        ("emu", 2, 1),
    ]
    assert [one.precision for one in report.classes] == pytest.approx([2 / 4, 2 / 3, 1])
    assert [one.recall for one in report.classes] == pytest.approx([2 / 3, 2 / 3, 1 / 2])
    assert report.macro_f1 == pytest.approx((4 / 7 + 2 / 3 + 2 / 3) / 3)
    assert [(one.label, one.said, one.rows) for one in report.confusions] == [
        ("cat", "dog", 1),
        ("dog", "cat", 1),
        ("emu", "cat", 1),
    ]
    assert report.source.method == "embedding"
    assert report.source.calibration == "none"
    assert report.source.prompt_tokens == 3 * 5
    assert not report.interrupted


def test_probabilities_are_judged() -> None:
    with judging(judge) as (client, _):
        report = evaluation.classify(client, ROWS, labels=LABELS)
    nll = brier = 0.0
    for text, truth in ROWS:
        scores = judge(text)
        nll -= math.log(scores[truth]) / len(ROWS)
        brier += sum((s - (name == truth)) ** 2 for name, s in scores.items()) / len(ROWS)
    assert report.nll == pytest.approx(nll)
    assert report.brier == pytest.approx(brier)
    gaps = [abs(max(judge(t).values()) - (t.split()[0] == truth)) for t, truth in ROWS]
    assert report.ece.value == pytest.approx(sum(gaps) / 8)  # a bin for each of so few rows


def test_baselines() -> None:
    rows = [("cat 0.9", "cat")] * 6 + [("dog 0.9", "dog")] * 3 + [("emu 0.9", "emu")]
    with judging(judge) as (client, _):
        report = evaluation.classify(client, rows, labels=LABELS)
    majority, chance = report.baselines
    assert (majority.accuracy, majority.macro_f1) == pytest.approx((0.6, (2 * 6 / 16) / 3))
    # precision is the share, recall 1/3
    f1 = [2 * share / 3 / (share + 1 / 3) for share in (0.6, 0.3, 0.1)]
    assert (chance.accuracy, chance.macro_f1) == pytest.approx((1 / 3, sum(f1) / 3))


def test_abstention() -> None:
    with judging(judge) as (client, _):
        report = evaluation.classify(client, ROWS, labels=LABELS, threshold=0.65)
    assert report.coverage.value == 4 / 8  # 0.8, 0.9, 0.7, 1.0
    assert report.error is not None
    assert report.error.value == 0.0
    assert report.accuracy.value == 5 / 8  # of the best labels, answered or not
    assert [one.coverage for one in report.selective] == [1.0, 0.875, 0.625, 0.5, 0.25, 0.125]
    whole = report.selective[0]
    assert (whole.threshold, whole.error.value) == (0.4, 3 / 8)
    surest = report.selective[-1]
    assert (surest.threshold, surest.error.value) == (1.0, 0.0)


def test_nothing_is_answered() -> None:
    with judging(lambda text: {"cat": 0.3, "dog": 0.2}) as (client, _):
        report = evaluation.classify(client, [("a", "cat")], labels=LABELS, threshold=0.9)
    assert report.coverage.value == 0
    assert report.error is None
    assert "wrong among" not in report.markdown()


def test_labels_of_the_model_come_from_its_answers() -> None:
    with judging(judge) as (client, _):
        report = evaluation.classify(client, ROWS)
        assert report.labels == ("cat", "dog", "emu")
        with pytest.raises(ConfigurationError, match="row 2 has the label 'cow', which no answer"):
            evaluation.classify(client, [ROWS[0], ("cat 0.5", "cow")])


def test_a_label_that_is_not_to_choose_from_is_seen_before_it_is_asked_about() -> None:
    rows = [Labelled("cat 0.5", "cow", "row 1 of x.csv")]
    with judging(judge) as (client, server):
        with pytest.raises(ConfigurationError) as caught:
            evaluation.classify(client, rows, labels=LABELS)
        assert not server.requests
    assert str(caught.value) == (
        "row 1 of x.csv has the label 'cow', which no answer can be. "
        "The labels to choose from are 'cat', 'dog', 'emu'."
    )


def test_no_rows() -> None:
    with judging(judge) as (client, _), pytest.raises(ConfigurationError, match="no rows"):
        evaluation.classify(client, [], labels=LABELS)


def test_a_row_that_is_refused_is_found() -> None:
    rows = [*ROWS, ("cat 0.5 too long", "cat"), *ROWS]
    with judging(judge) as (client, _):
        with pytest.raises(ContextOverflow, match=r"^row 9: 900 tokens"):
            evaluation.classify(client, rows, labels=LABELS)
        report = evaluation.classify(client, rows, labels=LABELS, skip_refused=True)
    assert report.rows == 16
    assert [(one.where, one.code) for one in report.refused] == [("row 9", "context_overflow")]
    assert "1 rows were refused" in report.markdown()


def test_all_rows_are_refused() -> None:
    with (
        judging(judge) as (client, _),
        pytest.raises(ConfigurationError, match="all rows were refused; 900 tokens"),
    ):
        evaluation.classify(client, [("too long", "cat")], labels=LABELS, skip_refused=True)


def test_what_is_wrong_with_the_request_is_no_fault_of_a_row() -> None:
    def handle(exchange: Exchange) -> None:
        exchange.answer(answers.error("too_few_labels", "1 label"), "400 Bad Request")

    with serving(handle) as server, Client(server.url, api_key="k") as client:
        with pytest.raises(TooFewLabels, match=r"^1 label"):
            evaluation.classify(client, ROWS, labels=LABELS, skip_refused=True)
        assert len(server.requests) == 1


def test_answers_are_told_in_order() -> None:
    """The first batch is answered last."""
    others = threading.Event()
    answer = handler(judge)

    def handle(exchange: Exchange) -> None:
        if exchange.json["text"][0] == ROWS[0][0]:
            assert others.wait(10)
        answer(exchange)
        others.set()

    told: list[Prediction] = []
    done: list[int] = []
    with serving(handle) as server, Client(server.url, api_key="k") as client:
        evaluation.classify(
            client,
            ROWS,
            labels=LABELS,
            batch=2,
            concurrency=2,
            predictions=told.append,
            progress=done.append,
        )
    assert [(one.text, one.truth) for one in told] == ROWS
    assert [one.where for one in told] == [f"row {number}" for number in range(1, 9)]
    assert done == [2, 4, 6, 8]


def test_no_more_requests_are_under_way_than_were_asked_for() -> None:
    under_way, most = 0, 0
    lock = threading.Lock()
    answer = handler(judge)
    both = threading.Barrier(3)

    def handle(exchange: Exchange) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        both.wait(10)  # three are here at once
        with lock:
            under_way -= 1
        answer(exchange)

    with serving(handle) as server, Client(server.url, api_key="k") as client:
        evaluation.classify(client, ROWS[:6], labels=LABELS, batch=1, concurrency=3)
    assert most == 3


def test_rows_are_read_as_far_as_it_takes() -> None:
    taken = 0

    def rows() -> Iterator[tuple[str, str]]:
        nonlocal taken
        while True:
            taken += 1
            yield ("cat 0.9", "cow" if taken == 50 else "cat")

    with judging(judge) as (client, _), pytest.raises(ConfigurationError, match="'cow'"):
        evaluation.classify(client, rows(), labels=LABELS, batch=4)
    assert taken == 50


def test_an_interrupt_keeps_what_is_done() -> None:
    def stop(done: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with judging(judge) as (client, _), pytest.raises(Interrupted) as caught:
        evaluation.classify(client, ROWS, labels=LABELS, batch=2, progress=stop)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert caught.value.done == 4
    report = caught.value.report
    assert isinstance(report, evaluation.ClassifyReport)
    assert (report.rows, report.interrupted) == (4, True)
    assert "Interrupted" in report.markdown()


def test_an_interrupt_before_anything_is_done() -> None:
    def rows() -> Iterator[tuple[str, str]]:
        raise KeyboardInterrupt
        yield

    with judging(judge) as (client, _), pytest.raises(Interrupted) as caught:
        evaluation.classify(client, rows(), labels=LABELS)
    assert (caught.value.done, caught.value.report) == (0, None)
