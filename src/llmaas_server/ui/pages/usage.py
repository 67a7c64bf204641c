"""Usage: what was used and what it cost, by day, task, model and key."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from llmaas_client.wire.usage import UsageDimension, UsageGroup
from llmaas_server.gateway.usage import UsageQuery
from llmaas_server.storage.usage import UsageFilter
from llmaas_server.ui.chart import Bar, bars
from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit

DAYS = (7, 30, 90)
BY: tuple[UsageDimension, ...] = ("task", "model", "application", "key")


async def load(visit: Visit) -> Content:
    asked = visit.query.get("days", "")
    days = int(asked) if asked in map(str, DAYS) else 30
    today = datetime.now(UTC).date()
    first = today - timedelta(days=days - 1)
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() * 1_000_000)
    which = UsageFilter(since=start, account_id=visit.session.row.account_id)
    reports = visit.services.usage
    daily = await reports.report(visit.actor, UsageQuery(which, ("day",)))
    tables = {
        name: (await reports.report(visit.actor, UsageQuery(which, (name,), limit=50))).groups
        for name in BY
    }
    return {
        "days": days,
        "choices": DAYS,
        "total": daily.total,
        "calls": bars(_by_day(daily.groups, first, days, "calls")),
        "cost": bars(_by_day(daily.groups, first, days, "cost")),
        "priced": Decimal(daily.total.cost) > 0,
        "daily": daily.groups,
        "tables": tables,
    }


def _by_day(groups: list[UsageGroup], first: date, days: int, what: str) -> list[Bar]:
    found: dict[Any, float] = {group.day: float(getattr(group, what)) for group in groups}
    return [
        Bar((first + timedelta(days=n)).isoformat(), found.get(first + timedelta(days=n), 0.0))
        for n in range(days)
    ]


PAGE = Page("/usage", "Usage", "pages/usage.html", load, "Manage", order=30, action="usage:read")
