"""Figures as a table for terminals, and what is to be said beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from rich.table import Table

from llmaas_client.display import clean

from .session import Plan
from .summary import Spread, Summary
from .target import Arithmetic, Target

BUSY = 0.8
"""Of a core: a generator that uses more may be what is measured."""


def heading(target: Target, plan: Plan) -> str:
    """What was measured, in one line."""
    model = clean(target.model or "its default model")
    return f"{target.url} ({target.api}), {plan.task}, {model}, seed {plan.seed}"


def arithmetic_line(found: Arithmetic) -> str:
    """Empty where the server does not say."""
    if found.kernels is None:
        return ""
    asked = f" (quantization {clean(found.quantization)})" if found.quantization else ""
    return f"Computed by {clean(found.kernels)}{asked}."


def table(summaries: Sequence[Summary]) -> Table:
    """A row a load."""
    streams = any(summary.first_token_ms for summary in summaries)
    several = any(summary.texts_per_s != summary.requests_per_s for summary in summaries)
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("load", "ok", "failed", "req/s"):
        drawn.add_column(name, justify="right", no_wrap=True)
    if several:
        drawn.add_column("texts/s", justify="right", no_wrap=True)
    if streams:
        drawn.add_column("out tok/s", justify="right", no_wrap=True)
        drawn.add_column("first token ms\np50 / p95 / p99", justify="right", no_wrap=True)
        drawn.add_column("gap ms\np50 / p95 / max", justify="right", no_wrap=True)
    drawn.add_column("whole answer ms\np50 / p95 / p99", justify="right", no_wrap=True)
    for summary in summaries:
        drawn.add_row(*_cells(summary, streams=streams, several=several))
    return drawn


def _cells(summary: Summary, *, streams: bool, several: bool) -> Iterator[str]:
    yield summary.load
    yield str(summary.requests - summary.failed)
    yield str(summary.failed)
    yield f"{summary.requests_per_s:.2f}"
    if several:
        yield f"{summary.texts_per_s:.1f}"
    if streams:
        yield f"{summary.output_tokens_per_s:.1f}"
        yield _three(summary.first_token_ms, "p99")
        yield _three(summary.gap_ms, "max")
    yield _three(summary.latency_ms, "p99")


def _three(spread: Spread | None, last: Literal["p99", "max"]) -> str:
    if spread is None:
        return "-"
    third = spread.max if last == "max" else spread.p99
    return " / ".join(
        f"{value:.{0 if value >= 10 else 1}f}" for value in (spread.p50, spread.p95, third)
    )


def notes(summaries: Sequence[Summary]) -> Iterator[str]:
    """What a reader must know to trust the figures."""
    tokens = [_lengths(summary) for summary in summaries if summary.latency_ms]
    yield from dict.fromkeys(tokens)
    if any(summary.estimated for summary in summaries):
        yield "The server does not count tokens: each piece of an answer was taken for one."
    cached = max((summary.cached_share or 0.0 for summary in summaries), default=0.0)
    if cached:
        yield f"Up to {cached:.0%} of the prompt tokens came from the server's prefix cache."
    busy = max((summary.generator_share for summary in summaries), default=0.0)
    yield f"The load generator used up to {busy:.0%} of a core." + (
        " That may be the limit, not the server." if busy > BUSY else ""
    )
    for summary in summaries:
        for code, count in summary.errors.items():
            yield f"{summary.load}: {count} x {clean(code)}: {clean(summary.messages[code])}"
        if summary.interrupted:
            yield f"{summary.load}: interrupted with {summary.interrupted} requests under way."


def _lengths(summary: Summary) -> str:
    prompt = "unknown" if summary.prompt_tokens is None else f"{summary.prompt_tokens:.0f}"
    text = f"A request has {prompt} prompt tokens"
    if summary.output_tokens is not None:
        text += f", its answer {summary.output_tokens:.0f}"
    return f"{text} (medians)."
