"""People: the accounts of the server, and invitations to make one."""

from __future__ import annotations

from datetime import UTC, datetime

from llmaas_client.wire.accounts import MIN_PASSWORD
from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit

PER_PAGE = 100


async def load(visit: Visit) -> Content:
    services = visit.services
    found = await services.accounts.list(visit.actor, visit.query.get("after", ""), PER_PAGE)
    return {
        "accounts": found.accounts,
        "next": found.next,
        "after": visit.query.get("after", ""),
        "invitations": (await services.invitations.list()).invitations,
        "mode": services.registrations.mode,
        "now": datetime.now(UTC),
        "least": MIN_PASSWORD,
    }


PAGE = Page(
    "/people", "People", "pages/people.html", load, "Server", order=20, action="accounts:manage"
)
