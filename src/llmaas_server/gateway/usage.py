"""Reports of what was used, for those who may see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from llmaas_client.wire import usage as wire
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.usage import UsageFilter, UsageRow

from .money import to_text
from .principals import Actor

MOST_GROUPS = 1000
"""On one page."""


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Which calls to count, and how to group them."""

    which: UsageFilter
    by: tuple[wire.UsageDimension, ...] = ()
    after: int = 0
    limit: int = MOST_GROUPS


@dataclass(frozen=True, slots=True)
class Report:
    groups: list[wire.UsageGroup]
    total: wire.UsageGroup
    next: int | None


class UsageReports:
    """Sums over the ledger: of one's own account, or of all for those who run the server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, actor: Actor, query: UsageQuery) -> Report:
        """Groups and total are of one moment. Raises Problem `not_found`."""
        which = self._within_reach(actor, query.which)

        def unit(tables: Tables) -> tuple[Sequence[UsageRow], UsageRow]:
            return tables.usage.report(which, query.by), tables.usage.report(which)[0]

        rows, total = await self._database.read(unit)
        end = query.after + query.limit
        return Report(
            [_group(row) for row in rows[query.after : end]],
            _group(total),
            end if end < len(rows) else None,
        )

    def _within_reach(self, actor: Actor, which: UsageFilter) -> UsageFilter:
        if which.account_id is None:
            return which if actor.is_operator else replace(which, account_id=actor.account_id)
        actor.check_reach(which.account_id, "account", which.account_id)
        return which


def _group(row: UsageRow) -> wire.UsageGroup:
    return wire.UsageGroup(
        account=row.account,
        application=row.application,
        key=row.key,
        task=row.task,
        model=row.model,
        day=None if row.day is None else date(1970, 1, 1) + timedelta(days=row.day),
        outcome=row.outcome,
        calls=row.calls,
        prompt_tokens=row.prompt_tokens,
        cached_tokens=row.cached_tokens,
        completion_tokens=row.completion_tokens,
        cpu_us=row.cpu_us,
        gpu_us=row.gpu_us,
        cost=to_text(row.cost),
    )
