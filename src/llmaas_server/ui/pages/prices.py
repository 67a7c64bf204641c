"""Prices, in versions; the operator sets new ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from llmaas_client.wire import TASKS
from llmaas_client.wire.prices import Price
from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    prices = visit.services.price_list.all().prices
    return {
        "prices": list(reversed(prices)),
        "states": _states(prices, datetime.now(UTC)),
        "models": [model.id for model in await visit.house.listing.every()],
        "tasks": list(TASKS),
    }


def _states(prices: Sequence[Price], now: datetime) -> dict[int, str]:
    """Of each version: `now`, `later`, or `past` where a newer one is in its place."""
    states = {price.id: "later" if price.valid_from > now else "past" for price in prices}
    newest: dict[tuple[str | None, str | None], Price] = {}
    for price in prices:
        key = price.model, price.task
        if price.valid_from <= now and (
            key not in newest
            or (price.valid_from, price.id) >= (newest[key].valid_from, newest[key].id)
        ):
            newest[key] = price
    return states | {price.id: "now" for price in newest.values()}


PAGE = Page("/prices", "Prices", "pages/prices.html", load, "Manage", order=35)
