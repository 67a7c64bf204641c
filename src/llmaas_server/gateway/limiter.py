"""Counts what owners use, and lets calls in by `limits`.

The counters are in memory. After a restart all buckets are full and nothing runs, so a restart
lets at most one minute's worth through once more; budgets are what binds across restarts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from llmaas_server.errors import Problem
from llmaas_server.storage.values import Limits, Owner

from .clock import SECOND, Clock
from .limits import (
    Bucket,
    RateLimit,
    Refusal,
    Standing,
    rates,
    refuse_request,
    refuse_tokens,
)

FEW = 1024
"""So many owners are remembered before those are forgotten who have used nothing lately."""

Limited = tuple[Owner, Limits]


class Ticket:
    """One call that was let in."""

    def __init__(self, limiter: Limiter, limited: Sequence[Limited]) -> None:
        self._limiter = limiter
        self._limited = limited
        self._reserved = 0
        self.used = 0
        """Tokens that the call used; set by who runs it. The rest is given back at the end."""

    def reserve(self, tokens: int) -> None:
        """Take the most tokens that the call may use; once, when they are known.

        Raises Problem `rate_limited`, or `invalid_request` where it exceeds the limit by itself.
        """
        self._limiter.take_tokens(self._limited, tokens)
        self._reserved = tokens

    def close(self) -> None:
        self._limiter.leave(self._limited, self._reserved - min(self.used, self._reserved))


class Limiter:
    """The counters of all owners. One event loop uses it; nothing in it waits."""

    def __init__(self, clock: Clock) -> None:
        """`clock` never goes back."""
        self._clock = clock
        self._standings: dict[Owner, Standing] = {}
        self._many = FEW

    @contextmanager
    def admit(self, limited: Sequence[Limited]) -> Iterator[Ticket]:
        """Let a call in that all of these owners are asked for, and hold its places to the end.

        Nothing is taken where one of them refuses. Raises Problem `rate_limited`.
        """
        standings = self._now(limited)
        if refusal := refuse_request(standings):
            raise _problem(refusal)
        for standing in standings:
            requests = standing.requests and standing.requests.less(1)
            self._keep(replace(standing, requests=requests, running=standing.running + 1))
        ticket = Ticket(self, limited)
        try:
            yield ticket
        finally:
            ticket.close()

    def rates(self, limited: Sequence[Limited]) -> list[RateLimit]:
        """What is left to these owners."""
        return rates(self._now(limited))

    def take_tokens(self, limited: Sequence[Limited], tokens: int) -> None:
        """See `Ticket.reserve`."""
        standings = self._now(limited)
        if refusal := refuse_tokens(standings, tokens):
            raise _problem(refusal)
        for standing in standings:
            self._keep(replace(standing, tokens=standing.tokens and standing.tokens.less(tokens)))

    def leave(self, limited: Sequence[Limited], unused: int) -> None:
        """A call ended: its places are free, and so are the tokens that it did not use."""
        # By the limits that hold now, which may have changed since it came in.
        kept = [(owner, self._standings[owner].limits) for owner, _ in limited]
        for standing in self._now(kept):
            tokens = standing.tokens and standing.tokens.more(unused)
            self._keep(replace(standing, tokens=tokens, running=standing.running - 1))

    def _now(self, limited: Sequence[Limited]) -> list[Standing]:
        now = self._clock()
        return [self._standing(owner, limits, now) for owner, limits in limited]

    def _standing(self, owner: Owner, limits: Limits, now: int) -> Standing:
        before = self._standings.get(owner) or Standing(owner, limits)
        return Standing(
            owner,
            limits,
            requests=_bucket(before.requests, limits.requests_per_minute, now),
            tokens=_bucket(before.tokens, limits.tokens_per_minute, now),
            running=before.running,
        )

    def _keep(self, standing: Standing) -> None:
        self._standings[standing.owner] = standing
        if len(self._standings) > self._many:
            self._forget()

    def _forget(self) -> None:
        """Drop those who stand as if they had never been here."""
        now = self._clock()
        self._standings = {
            owner: standing
            for owner, standing in self._standings.items()
            if not _is_fresh(self._standing(owner, standing.limits, now))
        }
        self._many = max(FEW, 2 * len(self._standings))


def _bucket(before: Bucket | None, limit: int | None, now: int) -> Bucket | None:
    if limit is None:
        return None
    return Bucket.full(limit, now) if before is None else before.refilled(limit, now)


def _is_fresh(standing: Standing) -> bool:
    buckets = (standing.requests, standing.tokens)
    return not standing.running and not any(bucket and bucket.until_full for bucket in buckets)


def _problem(refusal: Refusal) -> Problem:
    whose = f"the limit of {refusal.owner.kind} {refusal.owner.id}"
    if refusal.wait is None:
        return Problem(
            "invalid_request",
            f"the request needs more than {whose}: {refusal.limit} {refusal.what}",
            hint="Lower max_tokens, split the input, or raise the limit.",
        )
    return Problem(
        "rate_limited",
        f"{whose} is {refusal.limit} {refusal.what}",
        retry_after=refusal.wait / SECOND,
    )
