"""Limits as plain arithmetic: what one owner may use, and how long to wait for more.

Rates are token buckets: a bucket holds a minute's worth at most, begins full and fills evenly. A
fixed window would let twice the limit through around its edge, and could only say "when the window
ends"; a bucket knows the exact moment at which there is enough.

Everything is in integers. Levels count `amount * MINUTE`, so that a bucket gains exactly `limit`
of them in a microsecond.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from llmaas_server.storage.values import Limits, Owner

from .clock import MINUTE, SECOND

BUSY = SECOND
"""How long to wait for a place: nobody knows when a running call ends."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What of a limit per minute is left, as it was at a moment."""

    limit: int
    level: int
    """Amount * MINUTE; from 0 to `limit * MINUTE`."""
    at: int
    """Microseconds."""

    @classmethod
    def full(cls, limit: int, now: int) -> Bucket:
        return cls(limit, limit * MINUTE, now)

    @property
    def remaining(self) -> int:
        """The amount that can be taken at `at`."""
        return self.level // MINUTE

    @property
    def until_full(self) -> int:
        """Microseconds from `at`."""
        return self._until(self.limit * MINUTE)

    def refilled(self, limit: int, now: int) -> Bucket:
        """The bucket at a later moment, under a limit that may have changed in between."""
        gained = max(0, now - self.at) * limit
        return Bucket(limit, min(self.level + gained, limit * MINUTE), max(now, self.at))

    def wait_for(self, amount: int) -> int:
        """Microseconds until `amount` can be taken; it is no more than the limit."""
        return self._until(amount * MINUTE)

    def less(self, amount: int) -> Bucket:
        """With so much taken, after `wait_for` has said 0."""
        return replace(self, level=self.level - amount * MINUTE)

    def more(self, amount: int) -> Bucket:
        """With so much given back."""
        return replace(self, level=min(self.level + amount * MINUTE, self.limit * MINUTE))

    def _until(self, level: int) -> int:
        missing = max(0, level - self.level)
        return -(-missing // self.limit) if missing else 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What one owner may use and uses now. A bucket is None where there is no such limit."""

    owner: Owner
    limits: Limits
    requests: Bucket | None = None
    tokens: Bucket | None = None
    running: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call cannot be let in, and when to ask again."""

    owner: Owner
    what: str
    limit: int
    wait: int | None
    """Microseconds; None is never: what is asked exceeds the limit itself."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One rate of one owner, as the headers `RateLimit-Policy` and `RateLimit` say it."""

    name: str
    """Such as `key-requests`."""
    limit: int
    """Per minute."""
    remaining: int
    reset: int
    """Seconds until all of the limit is there again."""


def refuse_request(standings: Iterable[Standing]) -> Refusal | None:
    """Whether one more call is too many for any of the owners; the longest wait, if so."""
    refusals = []
    for standing in standings:
        owner, most = standing.owner, standing.limits.concurrency
        if most is not None and standing.running >= most:
            refusals.append(Refusal(owner, "calls at the same time", most, BUSY))
        refusals += _short_of(standing.requests, owner, "requests per minute", 1)
    return _longest(refusals)


def refuse_tokens(standings: Iterable[Standing], tokens: int) -> Refusal | None:
    """Whether so many tokens are too many for any of the owners; the longest wait, if so."""
    refusals = []
    for standing in standings:
        refusals += _short_of(standing.tokens, standing.owner, "tokens per minute", tokens)
    return _longest(refusals)


def _short_of(bucket: Bucket | None, owner: Owner, what: str, amount: int) -> list[Refusal]:
    if bucket is None:
        return []
    if amount > bucket.limit:
        return [Refusal(owner, what, bucket.limit, None)]
    wait = bucket.wait_for(amount)
    return [Refusal(owner, what, bucket.limit, wait)] if wait else []


def _longest(refusals: list[Refusal]) -> Refusal | None:
    """Never is the longest; of equals the first."""
    never = [refusal for refusal in refusals if refusal.wait is None]
    return max(never or refusals, key=lambda refusal: refusal.wait or 0, default=None)


def rates(standings: Iterable[Standing]) -> list[RateLimit]:
    """All rates of the owners that have any."""
    return [
        RateLimit(f"{owner.kind}-{what}", bucket.limit, bucket.remaining, _seconds(bucket))
        for standing in standings
        for owner in (standing.owner,)
        for what, bucket in (("requests", standing.requests), ("tokens", standing.tokens))
        if bucket is not None
    ]


def _seconds(bucket: Bucket) -> int:
    return -(-bucket.until_full // SECOND)
