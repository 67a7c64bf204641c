"""What a map sends when: batches, order, how many at once, what is tried again. No IO.

A driver feeds inputs while it is `hungry`, sends what `next` gives, tells what came of it, and
hands out what is `ready`.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic

from llmaas_client.clock import Clock
from llmaas_client.errors import (
    AuthenticationFailed,
    BodyTooLarge,
    BudgetExceeded,
    ConfigurationError,
    ContextOverflow,
    EmptyText,
    InvalidRequest,
    InvalidText,
    LLMaaSError,
    NotFound,
    Overloaded,
    PermissionDenied,
    RateLimited,
    ServerFault,
    UnexpectedResponse,
)

from .items import MapItem, Sums
from .limiter import Limiter
from .progress import MapProgress
from .work import In, Job, Val

if TYPE_CHECKING:
    from llmaas_client.steps import Call
    from llmaas_client.wire.base import Result

    from .checkpoint import Checkpoint

MOST_CHARACTERS = 50_000
"""Of the texts of one request."""
MOST_TRIES = 10
"""Of one request that the server refuses for now."""
LONGEST_WAIT = 120.0
"""A server that wants to be left alone for longer, in seconds, is taken at its word: it ends."""
PATIENCE = 0.05
"""Seconds that inputs are waited for to fill up a request."""
FIRST_WAIT, MOST_WAIT = 0.5, 8.0
AHEAD = 128
"""Requests whose values may wait for an earlier one, where order is kept."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[In]):
    """One input on its way."""

    index: int
    input: In
    key: bytes | None
    """In the checkpoint."""


@dataclass(slots=True)
class Batch(Generic[In]):
    """What one request carries."""

    entries: list[Entry[In]]
    call: Call[Any]
    tries: int = 0
    sent_at: float = 0.0
    answered_before: int = 0
    """Requests that had been answered when it was first sent."""


class Scheduler(Generic[In, Val]):
    """One map under way."""

    def __init__(
        self, job: Job[In, Val], clock: Clock, checkpoint: Checkpoint | None = None
    ) -> None:
        self._work = job.work
        self._options = job.options
        self._total = job.total
        self._clock = clock
        self._checkpoint = checkpoint
        self._limiter = Limiter(job.options.concurrency)
        most = job.work.most
        self._size = 1 if most == 1 else job.options.batch_size or most
        self._count = 0
        self._fed = False
        self._pending: list[Entry[In]] = []
        self._pending_since = 0.0
        self._again: deque[Batch[In]] = deque()
        self._under_way = 0
        self._not_before = float("-inf")
        self._refusals = 0
        self._ready: dict[int, MapItem[Val]] = {}
        self._given = 0
        self._done = self._failed = 0
        self._started_at = clock.now()
        self.sums = Sums()
        self.failure: BaseException | None = None
        """What ends the map: it concerns all inputs, or the caller wants to hear of each."""

    # -- inputs

    def hungry(self) -> bool:
        """Whether another input is wanted now."""
        if self._fed or self.failure or self._again or self._is_full() or not self._may_send():
            return False
        if self._options.ordered and self._count - self._given >= AHEAD * self._size:
            return False
        waited = self._clock.now() - self._pending_since
        return not self._pending or waited < PATIENCE

    def feed(self, value: In) -> None:
        """One more input."""
        index, self._count = self._count, self._count + 1
        key = None if self._checkpoint is None else self._checkpoint.key(value)
        if self._checkpoint is not None and key is not None:
            saved = self._checkpoint.find(key)
            if saved is not None:
                answer = self._work.load(saved["value"], value)
                self._put(MapItem(index, value, model=saved.get("model"), answer=answer))
                self.sums.resumed += 1
                return
        if not self._pending:
            self._pending_since = self._clock.now()
        self._pending.append(Entry(index, value, key))

    def end_of_inputs(self) -> None:
        self._fed = True

    def _is_full(self) -> bool:
        return len(self._pending) >= self._size or _characters(self._pending) >= MOST_CHARACTERS

    # -- requests

    def next(self) -> Batch[In] | None:
        """What is to be sent now; None where nothing is."""
        if self.failure or not self._may_send():
            return None
        if self._again:
            batch = self._again.popleft()
        elif self._pending and not self.hungry():
            batch = self._batch(self._pending)
            self._pending = []
        else:
            return None
        if not batch.tries:
            batch.answered_before = self.sums.requests
        batch.tries += 1
        batch.sent_at = self._clock.now()
        self._under_way += 1
        return batch

    def pause(self) -> float | None:
        """Seconds until there may be something to send; None where only an answer changes that."""
        if not (self._again or self._pending) or self._under_way >= self._limiter.limit:
            return None
        now = self._clock.now()
        filling = self._pending_since + PATIENCE - now if self.hungry() else 0.0
        return max(0.0, self._not_before - now, filling)

    @property
    def under_way(self) -> int:
        return self._under_way

    def _may_send(self) -> bool:
        return self._under_way < self._limiter.limit and self._clock.now() >= self._not_before

    def _batch(self, entries: list[Entry[In]]) -> Batch[In]:
        call = self._work.call([entry.input for entry in entries])
        # One key for all tries: what was done is not done, or billed, twice.
        call = replace(call, max_retries=0, idempotency_key=uuid.uuid4().hex)
        return Batch(entries, call)

    # -- answers

    def answered(self, batch: Batch[In], result: Result) -> None:
        """A request came back."""
        self._under_way -= 1
        self._refusals = 0
        timing = result.timing
        worked = max(0.0, timing.total_ms - timing.queue_ms) / 1000
        self._limiter.answered(batch.sent_at, self._clock.now(), timing.queue_ms / 1000, worked)
        self.sums.add(result)
        values = self._work.split(result)
        if len(values) != len(batch.entries):
            self.failure = UnexpectedResponse(
                f"{len(batch.entries)} inputs went out and {len(values)} values came back"
            )
            return
        if self._checkpoint is not None:
            self._checkpoint.save(
                (entry.key, {"value": self._work.dump(value), "model": result.model})
                for entry, value in zip(batch.entries, values, strict=True)
                if entry.key is not None
            )
        for entry, value in zip(batch.entries, values, strict=True):
            self._put(
                MapItem(entry.index, entry.input, None, result.request_id, result.model, value)
            )

    def failed(self, batch: Batch[In], error: BaseException) -> None:
        """A request did not come back well: try it again, in parts, or give it up."""
        self._under_way -= 1
        if not isinstance(error, LLMaaSError):
            self.failure = error
        elif self._is_worth_another_try(batch, error):
            self._try_again(batch, error)
        elif len(batch.entries) > 1 and self._may_be_of_one(error):
            half = len(batch.entries) // 2
            parts = batch.entries[:half], batch.entries[half:]
            self._again.extendleft(self._batch(part) for part in reversed(parts))
        elif self._options.on_error == "raise" or self._is_of_all(batch, error):
            self.failure = error
        else:
            for entry in batch.entries:
                self._put(MapItem(entry.index, entry.input, error, error.request_id))

    def _is_worth_another_try(self, batch: Batch[In], error: LLMaaSError) -> bool:
        wait = error.retry_after or 0.0
        return error.retryable and batch.tries < MOST_TRIES and wait <= LONGEST_WAIT

    def _try_again(self, batch: Batch[In], error: LLMaaSError) -> None:
        now = self._clock.now()
        if isinstance(error, Overloaded | RateLimited):
            self._limiter.refused(batch.sent_at, now)
        wait = error.retry_after
        if wait is None:
            most = min(MOST_WAIT, FIRST_WAIT * 2.0 ** min(self._refusals, MOST_TRIES))
            wait = most * (0.5 + self._clock.random() / 2)
        self._refusals += 1
        self.sums.retries += 1
        self._not_before = max(self._not_before, now + wait)
        self._again.append(batch)

    def _may_be_of_one(self, error: LLMaaSError) -> bool:
        """Whether one input of several may be to blame."""
        if isinstance(error, EmptyText | InvalidText | ContextOverflow | BodyTooLarge):
            return True
        if isinstance(error, InvalidRequest):
            return error.param is None or error.param.partition(".")[0] == self._work.field
        return isinstance(error, ServerFault) and not error.retryable

    def _is_of_all(self, batch: Batch[In], error: LLMaaSError) -> bool:
        """Whether the next input would fare no better."""
        if isinstance(error, InvalidRequest):
            return not self._may_be_of_one(error)
        if error.retryable:
            return batch.answered_before == self.sums.requests
        return isinstance(error, _OF_ALL)

    # -- values

    def _put(self, item: MapItem[Val]) -> None:
        self._ready[item.index] = item
        if item.ok:
            self._done += 1
        else:
            self._failed += 1

    def ready(self) -> Iterator[MapItem[Val]]:
        """What can be handed out now, in order where that is wanted; each once."""
        if self._options.ordered:
            while self._given in self._ready:
                item = self._ready.pop(self._given)
                self._given += 1
                yield item
        else:
            while self._ready:
                self._given += 1
                yield self._ready.pop(next(iter(self._ready)))

    def rest(self) -> list[MapItem[Val]]:
        """What is done and was not handed out."""
        left, self._ready = list(self._ready.values()), {}
        return left

    @property
    def over(self) -> bool:
        """Whether every input has come to its end."""
        idle = not (self._pending or self._again or self._under_way)
        return self._fed and idle and not self._ready

    def progress(self) -> MapProgress:
        self.sums.seconds = self._clock.now() - self._started_at
        return MapProgress(
            done=self._done,
            failed=self._failed,
            resumed=self.sums.resumed,
            total=self._total,
            seconds=self.sums.seconds,
            concurrency=self._limiter.limit,
            retries=self.sums.retries,
        )


_OF_ALL = (AuthenticationFailed, PermissionDenied, ConfigurationError, NotFound, BudgetExceeded)


def _characters(entries: list[Entry[Any]]) -> int:
    return sum(len(entry.input) for entry in entries if isinstance(entry.input, str))
