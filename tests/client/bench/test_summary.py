from __future__ import annotations

import pytest

from llmaas_client.bench.exchange import Failure, Sample
from llmaas_client.bench.load import Closed, Open
from llmaas_client.bench.session import Level
from llmaas_client.bench.summary import Spread, quantile, summarize
from llmaas_client.bench.table import notes
from llmaas_client.wire.base import Usage


def answered(due: float, *pieces: float, ended: float, tokens: int | None = None) -> Sample:
    usage = None
    if tokens is not None:
        usage = Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=tokens)
    return Sample(due, ended, pieces, usage)


FULL = Failure("overloaded", "the queue is full")
TWO = [
    answered(100.0, 100.5, 101.0, 102.0, ended=102.0, tokens=4),
    answered(100.0, 101.5, 103.0, ended=104.0, tokens=2),
]


def test_figures_of_a_load() -> None:
    level = Level(Closed(2), 1, began=100.0, samples=[*TWO, Sample(100.0, 100.1, failure=FULL)])
    level.cpu_seconds = 1.0
    summary = summarize(level)
    assert (summary.load, summary.concurrency, summary.rate) == ("2 clients", 2, None)
    assert (summary.requests, summary.failed, summary.errors) == (3, 1, {"overloaded": 1})
    assert summary.seconds == pytest.approx(4.0)
    assert summary.requests_per_s == pytest.approx(0.5)
    assert summary.output_tokens_per_s == pytest.approx(1.5)
    assert summary.prompt_tokens_per_s == pytest.approx(5.0)
    assert summary.first_token_ms is not None
    assert summary.first_token_ms.p50 == pytest.approx(1000.0)
    assert summary.gap_ms == Spread.of([0.5, 1.0, 1.5])
    assert summary.token_ms == pytest.approx(1000.0), "median of 1500/3 and 1500/1"
    assert summary.latency_ms is not None
    assert summary.latency_ms.max == pytest.approx(4000.0)
    assert (summary.prompt_tokens, summary.output_tokens) == (10, 3)
    assert summary.cached_share == pytest.approx(0.4)
    assert summary.generator_share == pytest.approx(0.25)
    assert not summary.estimated


def test_tokens_that_nobody_counted_are_said_to_be_estimated() -> None:
    level = Level(Open(2.0), 1, began=100.0, samples=[answered(100.0, 100.5, 101.0, ended=101.0)])
    summary = summarize(level)
    assert summary.estimated
    assert summary.output_tokens_per_s == pytest.approx(2.0)
    assert any("does not count tokens" in note for note in notes([summary]))


def test_texts_count_by_the_batch() -> None:
    level = Level(Closed(1), 8, began=0.0, samples=[answered(0.0, ended=2.0, tokens=0)])
    summary = summarize(level)
    assert (summary.requests_per_s, summary.texts_per_s) == (0.5, 4.0)
    assert summary.first_token_ms is None
    assert summary.output_tokens is None
    assert not summary.estimated


def test_nothing_that_succeeded() -> None:
    for samples in ([], [Sample(1.0, 1.0, failure=FULL)]):
        summary = summarize(Level(Closed(1), 1, began=1.0, samples=samples))
        assert summary.output_tokens_per_s == summary.requests_per_s == 0.0
        assert summary.latency_ms is None


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [([1.0], 0.99, 1.0), ([1.0, 2.0], 0.5, 1.5), ([1.0, 2.0, 3.0], 1.0, 3.0)],
)
def test_quantile(values: list[float], q: float, expected: float) -> None:
    assert quantile(values, q) == pytest.approx(expected)


def test_notes_say_what_spoils_the_figures() -> None:
    level = Level(Closed(2), 1, began=100.0, samples=[*TWO, Sample(100.0, 100.1, failure=FULL)])
    level.cpu_seconds, level.under_way = 3.9, 2
    said = "\n".join(notes([summarize(level)]))
    assert "10 prompt tokens, its answer 3" in said
    assert "40% of the prompt tokens came from" in said
    assert "98% of a core. That may be the limit" in said
    assert "2 clients: 1 x overloaded: the queue is full" in said
    assert "interrupted with 2 requests under way" in said
