from __future__ import annotations

import pytest

from llmaas_client.clock import Deadline
from llmaas_client.errors import LLMaaSError, Overloaded
from llmaas_client.retry import RetryPolicy
from support.clients import StillClock


def wait(
    attempts: int,
    *,
    luck: float = 1.0,
    left: float | None = None,
    error: LLMaaSError | None = None,
    max_retries: int = 10,
) -> float | None:
    clock = StillClock(luck)
    error = error or Overloaded("busy", retryable=True)
    return RetryPolicy(max_retries).wait(error, attempts, Deadline.after(left, clock), clock)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 8.0)]
)
def test_waits_longer_each_time_up_to_a_ceiling(attempts: int, seconds: float) -> None:
    assert wait(attempts) == seconds


def test_jitter_is_full() -> None:
    assert wait(3, luck=0.0) == 0.0
    assert wait(3, luck=0.25) == 0.5


def test_ends_with_the_number_of_tries() -> None:
    assert wait(2, max_retries=2) is not None
    assert wait(3, max_retries=2) is None
    assert wait(1, max_retries=0) is None


def test_what_may_do_harm_is_not_repeated() -> None:
    assert wait(1, error=Overloaded("busy", retryable=False)) is None


def test_keeps_to_what_the_server_asks_for() -> None:
    error = Overloaded("busy", retryable=True, retry_after=30.0)
    assert wait(1, error=error) == 30.0
    assert wait(1, error=error, left=31.0) == 30.0
    assert wait(1, error=error, left=29.0) is None


def test_does_not_wait_past_the_deadline() -> None:
    assert wait(1, left=0.4) is None
    assert wait(1, left=0.6) == 0.5
