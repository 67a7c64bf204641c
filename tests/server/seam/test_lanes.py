"""Values that add up, and cross a connection as they are."""

from __future__ import annotations

import msgspec
import pytest

from llmaas_server.seam.lanes import (
    BATCH_SIZES,
    STEP_SECONDS,
    Histogram,
    LaneState,
    LaneWork,
    total,
)

WORK = LaneWork(
    "tiny", "generate", Histogram((1, 2, 0), 0.5), Histogram((3, 0, 0), 3.0), 1, 2, 3, 4, 5, 6, 7
)


def test_work_adds_up_field_by_field() -> None:
    both = WORK + WORK
    assert both.step_seconds == Histogram((2, 4, 0), 1.0)
    assert both.step_seconds.count == 6
    assert both.batch_sizes == Histogram((6, 0, 0), 6.0)
    names = both.__struct_fields__[4:]
    assert [getattr(both, name) for name in names] == [2, 4, 6, 8, 10, 12, 14]
    assert (both.model, both.lane) == ("tiny", "generate")


def test_states_add_up() -> None:
    assert LaneState(1, 2, 3, 4, 5) + LaneState(10, 20, 30, 40, 50) == LaneState(11, 22, 33, 44, 55)


def test_a_total_has_one_for_each_lane_of_each_model() -> None:
    other = msgspec.structs.replace(WORK, model="other")
    lane = msgspec.structs.replace(WORK, lane="encode")
    assert total([]) == []
    assert total([WORK, other, WORK, lane]) == [WORK + WORK, other, lane]


@pytest.mark.parametrize("bounds", [STEP_SECONDS, BATCH_SIZES])
def test_bounds_rise(bounds: tuple[float, ...]) -> None:
    assert list(bounds) == sorted(set(bounds))
