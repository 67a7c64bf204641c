"""The audit trail, page by page, the newest first; and whether it is whole."""

from __future__ import annotations

from llmaas_server.gateway.views import moment
from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit

PER_PAGE = 100
MOST = 10**15


async def load(visit: Visit) -> Content:
    asked = visit.query.get("before", "")
    is_number = asked.isascii() and asked.isdecimal() and len(asked) < len(str(MOST))
    before = int(asked) if is_number else MOST
    reader = visit.services.trail_reader
    found = await reader.newest(visit.actor, before, PER_PAGE + 1)
    if visit.session.management.is_operator and visit.query.get("verify") == "1":
        await reader.verify()
    verified = reader.verified if visit.session.management.is_operator else None
    return {
        "entries": found[:PER_PAGE],
        "next": found[PER_PAGE - 1].seq if len(found) > PER_PAGE else None,
        "before": before,
        "is_newest": before == MOST,
        "report": None if verified is None else verified.report,
        "verified_at": None if verified is None else moment(verified.at),
    }


PAGE = Page(
    "/audit", "Audit trail", "pages/audit.html", load, "Manage", order=60, action="audit:read"
)
