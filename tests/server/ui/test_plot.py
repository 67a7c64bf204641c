"""Shares as places in a square."""

from __future__ import annotations

from llmaas_client.wire.classifiers import ReliabilityBin
from llmaas_client.wire.operating import Operating
from llmaas_server.ui.plot import LEAST_RADIUS, MOST_RADIUS, SIZE, reliability, selective


def test_a_bin_on_the_diagonal_is_as_far_right_as_up() -> None:
    plot = reliability(
        [
            ReliabilityBin(examples=5, confidence=0.25, accuracy=0.25),
            ReliabilityBin(examples=10, confidence=1.0, accuracy=0.5),
        ]
    )
    first, last = plot.dots
    assert (first.x, first.y) == (SIZE / 4, SIZE * 3 / 4)
    assert (last.x, last.y) == (SIZE, SIZE / 2)
    assert LEAST_RADIUS < first.radius < last.radius == MOST_RADIUS
    assert last.text == "10 examples: confidence 1.00, accuracy 0.50"


def test_errors_are_drawn_against_what_is_answered_with_their_bound_at_the_top() -> None:
    plot = selective(
        [
            Operating(threshold=0.0, coverage=1.0, error=0.2, error_bound=0.4),
            Operating(threshold=0.9, coverage=0.5, error=0.0, error_bound=0.1),
        ]
    )
    assert plot.top == 0.4
    found, bound = plot.lines
    assert found == f"{SIZE / 2},{SIZE} {SIZE},{SIZE / 2}"
    assert bound == f"{SIZE / 2},{SIZE * 3 / 4} {SIZE},0.0"


def test_what_is_not_known_is_not_drawn() -> None:
    assert reliability([]).is_empty
    assert selective([]).is_empty
