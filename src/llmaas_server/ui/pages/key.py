"""One key: what it is for, its name, limits and budget."""

from __future__ import annotations

from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    """Raises Problem `not_found`."""
    return {"one": await visit.services.keys.show(visit.actor, visit.path["id"])}


PAGE = Page("/keys/{id}", "Key", "pages/key.html", load, action="keys:read")
