"""When a worker counts as hanging: told by tables of pulses and seconds."""

from __future__ import annotations

import pytest

from llmaas_server.backends.backoff import Backoff
from llmaas_server.backends.watch import Watch
from llmaas_server.seam.frames import Pulse

LIMIT = 10.0

Step = float | tuple[bool, int]
"""Seconds that pass, or a pulse: (busy, progress)."""


def watch(*steps: Step) -> Watch:
    """A watch after these steps; seconds pass in looks of one interval."""
    now = 0.0
    judge = Watch(LIMIT, now)
    for step in steps:
        if isinstance(step, tuple):
            judge.hear(Pulse(step[0], step[1], []))
        else:
            for _ in range(round(step / judge.interval)):
                now += judge.interval
                judge.look(now)
    return judge


FINE: dict[str, list[Step]] = {
    "just started": [],
    "starting": [4.0],
    "idle for long": [4.0, (False, 0), 4.0, (False, 0), 4.0, (False, 0), 4.0],
    "busy with progress": [4.0, (True, 1), 4.0, (True, 2), 4.0, (True, 3)],
    "busy for the first time after idling": [(False, 5), 4.0, (False, 5), 4.0, (True, 5)],
}
SUSPECT: dict[str, list[Step]] = {
    "silent": [6.0],
    "busy without progress": [(True, 1), 3.0, (True, 1), 3.0, (True, 1)],
}
HANGING: dict[str, tuple[list[Step], str]] = {
    "never a pulse": ([10.0], "no sign of life for 10 s"),
    "silent after a pulse": ([(False, 0), 10.0], "no sign of life"),
    "busy without progress": ([(True, 1), 5.0, (True, 1), 5.0, (True, 1)], "no progress for 10 s"),
}


@pytest.mark.parametrize("steps", FINE.values(), ids=FINE.keys())
def test_healthy(steps: list[Step]) -> None:
    assert watch(*steps).healthy
    assert watch(*steps).verdict is None


@pytest.mark.parametrize("steps", SUSPECT.values(), ids=SUSPECT.keys())
def test_suspect_before_it_is_replaced(steps: list[Step]) -> None:
    assert not watch(*steps).healthy
    assert watch(*steps).verdict is None


@pytest.mark.parametrize(("steps", "reason"), HANGING.values(), ids=HANGING.keys())
def test_hanging(steps: list[Step], reason: str) -> None:
    verdict = watch(*steps).verdict
    assert verdict is not None
    assert reason in verdict


def test_a_front_that_was_suspended_blames_nobody() -> None:
    judge = watch((True, 1))
    judge.look(3600.0)
    assert judge.verdict is None
    assert judge.healthy


def test_delays_double_up_to_a_bound_and_start_over_after_a_steady_life() -> None:
    backoff = Backoff()
    delays = [backoff.after(0.0) for _ in range(8)]
    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])
    assert backoff.after(60.0) == pytest.approx(0.1)
    assert backoff.failures == 1
