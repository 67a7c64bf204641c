"""Whether to try again, and when: a decision in plain data."""

from __future__ import annotations

from dataclasses import dataclass

from .clock import Clock, Deadline
from .errors import LLMaaSError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter, ended by the number of tries or by the deadline."""

    max_retries: int = 2
    first_wait: float = 0.5
    longest_wait: float = 8.0

    def wait(
        self, error: LLMaaSError, attempts: int, deadline: Deadline, clock: Clock
    ) -> float | None:
        """Seconds to wait before the next try; None where `error` is to be raised now.

        `attempts` is the number of tries so far. What the server asked for is kept to: where the
        deadline comes earlier, there is no point in waiting for it.
        """
        if not error.retryable or attempts > self.max_retries:
            return None
        if error.retry_after is not None:
            seconds = error.retry_after
        else:
            ceiling = min(self.longest_wait, self.first_wait * 2.0 ** (attempts - 1))
            seconds = clock.random() * ceiling
        return seconds if deadline.allows(seconds) else None
