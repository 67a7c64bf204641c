"""The audit trail, page by page, and whether it is whole."""

from __future__ import annotations

from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit

PER_PAGE = 100
MOST = 10**15


async def load(visit: Visit) -> Content:
    asked = visit.query.get("after", "0")
    after = int(asked) if asked.isascii() and asked.isdecimal() and int(asked) < MOST else 0
    reader = visit.services.trail_reader
    found = await reader.page(visit.actor, None, after, PER_PAGE)
    verify = visit.session.management.is_operator and visit.query.get("verify") == "1"
    return {
        "entries": found.entries,
        "next": found.next,
        "after": after,
        "report": await reader.verify() if verify else None,
    }


PAGE = Page(
    "/audit", "Audit trail", "pages/audit.html", load, "Manage", order=60, action="audit:read"
)
