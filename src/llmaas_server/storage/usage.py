"""Sums over the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from . import schema

Dimension = Literal["account", "application", "key", "task", "model", "day", "outcome"]

DAY = 86_400_000_000
"""Microseconds."""

_TABLE = schema.ledger.c

_COLUMNS: dict[Dimension, sa.ColumnElement[Any]] = {
    "account": _TABLE.account_id,
    "application": _TABLE.application_id,
    "key": _TABLE.key_id,
    "task": _TABLE.task,
    "model": _TABLE.model,
    "day": _TABLE.admitted_at // DAY,
    "outcome": _TABLE.outcome,
}

_SUMS = (
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "cpu_us",
    "gpu_us",
    "cost",
)


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which calls to count: admitted in [since, until), of these owners; None is any."""

    since: int | None = None
    until: int | None = None
    account_id: str | None = None
    application_id: str | None = None
    key_id: str | None = None
    task: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What a group of calls used. A dimension that was not asked for is None."""

    account: str | None = None
    application: str | None = None
    key: str | None = None
    task: str | None = None
    model: str | None = None
    day: int | None = None
    """Days since 1970 UTC, of the moment of admission."""
    outcome: str | None = None
    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cpu_us: int = 0
    gpu_us: int = 0
    cost: int = 0


class Usage:
    """Reads the ledger in sums."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def report(self, which: UsageFilter, by: Sequence[Dimension] = ()) -> list[UsageRow]:
        """One row per group, sorted by the dimensions in the order given.

        Without dimensions one row with the sum of all, zeros where there is nothing.
        """
        groups = [_COLUMNS[dimension].label(f"by_{dimension}") for dimension in by]
        sums = [sa.func.coalesce(sa.func.sum(_TABLE[name]), 0) for name in _SUMS]
        query = (
            sa.select(*groups, sa.func.count(), *sums)
            .where(*_where(which))
            .group_by(*(_COLUMNS[dimension] for dimension in by))
        )
        rows = [_row(tuple(record), by) for record in self._connection.execute(query)]
        # Sorted here: databases differ in how they order text.
        return sorted(rows, key=lambda row: [getattr(row, dimension) for dimension in by])


def _row(record: Sequence[Any], by: Sequence[Dimension]) -> UsageRow:
    calls, *sums = record[len(by) :]
    values: dict[str, Any] = dict(zip(by, record, strict=False))
    # PostgreSQL sums 64-bit integers as decimals.
    values |= {name: int(value) for name, value in zip(_SUMS, sums, strict=True)}
    return UsageRow(calls=calls, **values)


def _where(which: UsageFilter) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if which.since is not None:
        where.append(_TABLE.admitted_at >= which.since)
    if which.until is not None:
        where.append(_TABLE.admitted_at < which.until)
    for name in ("account_id", "application_id", "key_id", "task", "model"):
        value = getattr(which, name)
        if value is not None:
            where.append(_TABLE[name] == value)
    return where
