from __future__ import annotations

import pytest

from llmaas_server.runtime.request import Scoring
from llmaas_server.runtime.scoring import ScoreSequence, Target, plan_waves
from llmaas_server.runtime.sequence import PREFIX


def test_a_wave_is_the_prefix_and_continuations_side_by_side() -> None:
    [wave] = plan_waves(Scoring((1, 2, 3), ((10, 11), (20, 21, 22))), most=8)
    assert wave.ids == [1, 2, 3, 10, 20, 21]  # the last token of each is never computed
    assert wave.positions == [0, 1, 2, 3, 3, 4]
    assert wave.branches == [PREFIX, PREFIX, PREFIX, 0, 1, 1]
    assert wave.targets == [
        [Target(0, 0, 10), Target(1, 0, 20)],
        [Target(0, 1, 11)],
        [Target(1, 1, 21)],
        [Target(1, 2, 22)],
    ]


@pytest.mark.parametrize(
    ("lengths", "most", "waves"),
    [
        ((), 4, [[]]),
        ((1, 1, 1), 4, [[]]),
        ((3, 3, 3), 4, [[0, 0, 1, 1], [2, 2]]),
        ((9, 2), 4, [[0] * 8, [1]]),  # longer than a wave: a wave of its own
        ((5, 1, 2), 4, [[0] * 4, [2]]),
        ((0, 2), 4, [[1]]),
    ],
)
def test_continuations_are_packed_in_order(
    lengths: tuple[int, ...], most: int, waves: list[list[int]]
) -> None:
    scoring = Scoring((1,), tuple((5,) * length for length in lengths))
    planned = plan_waves(scoring, most)
    assert [wave.branches[1:] for wave in planned] == waves
    targets = [target for wave in planned for row in wave.targets for target in row]
    assert sorted((target.continuation, target.offset) for target in targets) == [
        (branch, offset) for branch, length in enumerate(lengths) for offset in range(length)
    ]


def test_a_sequence_needs_room_for_its_largest_wave_alone() -> None:
    sequence = ScoreSequence(0, Scoring((1, 2), ((5, 5, 5),) * 100), most=6)
    assert sequence.room == 2 + 6


def test_later_waves_start_after_the_prefix() -> None:
    sequence = ScoreSequence(0, Scoring((1, 2), ((5, 6, 7), (8, 9, 10))), most=2)
    assert sequence.pending == 4
    sequence.computed = 4
    sequence.advance()
    assert (sequence.computed, sequence.pending, sequence.done) == (2, 2, False)
    assert sequence.ids(2, 4) == [8, 9]
    assert sequence.targets(3) == [Target(1, 2, 10)]
    sequence.computed = 4
    sequence.advance()
    assert sequence.done
