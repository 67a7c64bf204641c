"""The parts of a step sum to the step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmaas_server.seam.division import divide

WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (10, [1], (10,)),
        (10, [1, 1], (5, 5)),
        (10, [1, 1, 1], (4, 3, 3)),  # what is left goes to the first of equals
        (10, [1, 2], (3, 7)),  # 3.33 and 6.67: the second lost more
        (7, [0, 5, 0], (0, 7, 0)),
        (5, [0, 0], (3, 2)),  # nobody weighs anything
        (0, [3, 4], (0, 0)),
    ],
)
def test_examples(total: int, weights: list[int], parts: tuple[int, ...]) -> None:
    assert divide(total, weights) == parts


@given(st.integers(0, 10**12), WEIGHTS)
def test_parts_sum_to_the_total_and_none_is_off_by_one(total: int, weights: list[int]) -> None:
    parts = divide(total, weights)
    assert sum(parts) == total
    if whole := sum(weights):
        for part, weight in zip(parts, weights, strict=True):
            assert total * weight // whole <= part <= -(-total * weight // whole)


@given(st.integers(0, 10**12), WEIGHTS)
def test_a_part_does_not_depend_on_the_order_by_more_than_one(
    total: int, weights: list[int]
) -> None:
    backwards = divide(total, weights[::-1])[::-1]
    assert all(abs(a - b) <= 1 for a, b in zip(divide(total, weights), backwards, strict=True))


def test_nobody() -> None:
    with pytest.raises(ValueError, match="nobody"):
        divide(1, [])
