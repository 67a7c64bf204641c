"""One application: its name, limits and budget, and whether it keeps texts."""

from __future__ import annotations

from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    """Raises Problem `not_found`."""
    return {"one": await visit.services.applications.show(visit.actor, visit.path["id"])}


PAGE = Page(
    "/applications/{id}",
    "Application",
    "pages/application.html",
    load,
    action="applications:read",
)
