"""Samples as figures. Pure."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .exchange import Sample
from .load import Closed
from .session import Level


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Spread | None:
        """None where there is nothing to tell about."""
        values = sorted(seconds)
        if not values:
            return None
        p50, p95, p99, most = (1e3 * quantile(values, q) for q in (0.5, 0.95, 0.99, 1.0))
        return cls(p50, p95, p99, most)


def quantile(values: Sequence[float], q: float) -> float:
    """Of sorted values, by linear interpolation between neighbours."""
    place = q * (len(values) - 1)
    below, above = math.floor(place), math.ceil(place)
    return values[below] + (values[above] - values[below]) * (place - below)


@dataclass(frozen=True, slots=True)
class Summary:
    """One load in figures. Rates count what succeeded, over all of the load's seconds."""

    load: str
    concurrency: int | None
    rate: float | None
    seconds: float
    requests: int
    failed: int
    interrupted: int
    """Under way when the run was stopped; nothing of them is counted."""
    errors: dict[str, int]
    messages: dict[str, str]
    """The first message of each error."""
    requests_per_s: float
    texts_per_s: float
    """Requests and texts differ where a request has a batch of texts."""
    prompt_tokens_per_s: float | None
    output_tokens_per_s: float
    first_token_ms: Spread | None
    gap_ms: Spread | None
    """Between one piece of an answer and the next."""
    token_ms: float | None
    """Median over the requests: time from the first piece to the last, by further token."""
    latency_ms: Spread | None
    prompt_tokens: float | None
    """Of a request, in the median."""
    output_tokens: float | None
    """Of a request, in the median."""
    cached_share: float | None
    """Of the prompt tokens: those that the server had already."""
    estimated: bool
    """True: the server does not count tokens, and each piece was taken for one."""
    generator_share: float
    """Of one core's time, used by the load generator itself."""


def summarize(level: Level) -> Summary:
    good = [sample for sample in level.samples if sample.failure is None]
    failures = [sample.failure for sample in level.samples if sample.failure is not None]
    usages = [sample.usage for sample in good if sample.usage is not None]
    prompt = sum(usage.prompt_tokens for usage in usages)
    streams = any(sample.pieces for sample in good)
    load = level.load
    return Summary(
        load=str(load),
        concurrency=load.concurrency if isinstance(load, Closed) else None,
        rate=None if isinstance(load, Closed) else load.rate,
        seconds=level.seconds,
        requests=len(level.samples),
        failed=len(failures),
        interrupted=level.under_way,
        errors=dict(Counter(failure.code for failure in failures)),
        messages={failure.code: failure.message for failure in reversed(failures)},
        requests_per_s=_rate(len(good), level),
        texts_per_s=_rate(len(good) * level.batch, level),
        prompt_tokens_per_s=_rate(prompt, level) if usages else None,
        output_tokens_per_s=_rate(sum(sample.output_tokens for sample in good), level),
        first_token_ms=Spread.of(s.first for s in good if s.first is not None),
        gap_ms=Spread.of(gap for sample in good for gap in sample.gaps),
        token_ms=_median(map(_token_ms, good)),
        latency_ms=Spread.of(sample.latency for sample in good),
        prompt_tokens=_median(usage.prompt_tokens for usage in usages),
        output_tokens=_median(s.output_tokens for s in good) if streams else None,
        cached_share=sum(usage.cached_tokens for usage in usages) / prompt if prompt else None,
        estimated=streams and len(usages) < len(good),
        generator_share=level.cpu_seconds / level.seconds if level.seconds else 0.0,
    )


def _rate(count: float, level: Level) -> float:
    return count / level.seconds if level.seconds else 0.0


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _token_ms(sample: Sample) -> float | None:
    if len(sample.pieces) < 2 or sample.output_tokens < 2:
        return None
    return 1e3 * (sample.pieces[-1] - sample.pieces[0]) / (sample.output_tokens - 1)
