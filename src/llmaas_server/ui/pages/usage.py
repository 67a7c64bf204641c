"""Usage: what was used and what it cost, by day, task, model and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
MOST_SHARES = 50


@dataclass(frozen=True, slots=True)
class Share:
    """What one task, model, application or key has of all that was used."""

    name: str
    id: str | None
    """Where the name is one that people gave."""
    used: UsageGroup
    of_calls: float
    of_cost: float


async def load(visit: Visit) -> Content:
    asked = visit.query.get("days", "")
    days = int(asked) if asked in map(str, DAYS) else 30
    today = datetime.now(UTC).date()
    first = today - timedelta(days=days - 1)
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() * 1_000_000)
    which = UsageFilter(since=start, account_id=visit.session.row.account_id)
    reports = visit.services.usage
    daily = await reports.report(visit.actor, UsageQuery(which, ("day",)))
    named = {"application": await _applications(visit), "key": await _keys(visit)}
    shares = {
        name: _shares(
            (await reports.report(visit.actor, UsageQuery(which, (name,)))).groups,
            name,
            named.get(name, {}),
        )
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
        "shares": shares,
    }


def _shares(groups: list[UsageGroup], by: UsageDimension, names: Mapping[str, str]) -> list[Share]:
    """What was used most comes first."""
    whole = sum(group.calls for group in groups)
    cost = sum((Decimal(group.cost) for group in groups), Decimal())
    ranked = sorted(groups, key=lambda one: (Decimal(one.cost), one.calls), reverse=True)
    shares = []
    for group in ranked[:MOST_SHARES]:
        known_as: str = getattr(group, by)
        shares.append(
            Share(
                names.get(known_as, known_as),
                known_as if known_as in names else None,
                group,
                group.calls / max(1, whole),
                float(Decimal(group.cost) / cost) if cost else 0.0,
            )
        )
    return shares


async def _applications(visit: Visit) -> dict[str, str]:
    """Id -> name, of those that there are still."""
    if not visit.may("applications:read"):
        return {}
    found = await visit.services.applications.list(visit.actor)
    return {one.id: one.name for one in found.applications}


async def _keys(visit: Visit) -> dict[str, str]:
    if not visit.may("keys:read"):
        return {}
    return {one.id: one.name for one in (await visit.services.keys.list(visit.actor)).keys}


def _by_day(groups: list[UsageGroup], first: date, days: int, what: str) -> list[Bar]:
    found: dict[Any, float] = {group.day: float(getattr(group, what)) for group in groups}
    return [
        Bar((first + timedelta(days=n)).isoformat(), found.get(first + timedelta(days=n), 0.0))
        for n in range(days)
    ]


PAGE = Page("/usage", "Usage", "pages/usage.html", load, "Manage", order=30, action="usage:read")
