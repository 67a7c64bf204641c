from __future__ import annotations

from itertools import pairwise

import pytest

from llmaas_client.bench.load import MAX_REQUESTS, Closed, Limit, Load, Open, arrivals


@pytest.mark.parametrize(
    ("limit", "load", "requests"),
    [
        (Limit(), Closed(1), 8),
        (Limit(), Closed(16), 64),
        (Limit(), Open(5.0), 50),
        (Limit(requests=3), Closed(16), 3),
        (Limit(requests=10**9), Closed(1), MAX_REQUESTS),
        (Limit(seconds=2.0), Closed(1), MAX_REQUESTS),
        (Limit(requests=3, seconds=2.0), Open(5.0), 3),
    ],
)
def test_a_load_has_an_end_in_requests(limit: Limit, load: Load, requests: int) -> None:
    assert limit.requests_of(load) == requests


def test_a_limit_allows_until_either_end() -> None:
    limit = Limit(requests=10, seconds=2.0)
    assert limit.allows(Closed(1), sent=9, seconds=1.9)
    assert not limit.allows(Closed(1), sent=10, seconds=0.0)
    assert not limit.allows(Closed(1), sent=0, seconds=2.0)


def test_arrivals_come_at_the_rate_and_the_same_for_a_seed() -> None:
    times = arrivals(Open(50.0), Limit(requests=2000), "seed")
    assert times == sorted(times)
    assert times == arrivals(Open(50.0), Limit(requests=2000), "seed")
    assert times != arrivals(Open(50.0), Limit(requests=2000), "other")
    assert times[-1] == pytest.approx(40.0, rel=0.1)
    gaps = [after - before for before, after in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert variance == pytest.approx(mean**2, rel=0.25), "of a Poisson process"


def test_arrivals_end_with_the_seconds() -> None:
    times = arrivals(Open(100.0), Limit(seconds=1.0), "seed")
    assert 60 < len(times) < 140
    assert times[-1] < 1.0
