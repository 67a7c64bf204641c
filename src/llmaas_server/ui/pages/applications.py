"""Applications: what an account uses the server for, with limits, budgets and what they spent."""

from __future__ import annotations

from llmaas_client.wire import TASKS
from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    found = await visit.services.applications.list(visit.actor)
    return {
        "applications": [one for one in found.applications if one.status != "closed"],
        "tasks": list(TASKS),
    }


PAGE = Page(
    "/applications",
    "Applications",
    "pages/applications.html",
    load,
    "Manage",
    order=10,
    action="applications:read",
)
