"""One account, as the operator changes it: its name, limits and budget."""

from __future__ import annotations

from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    """Raises Problem `not_found`."""
    return {"one": await visit.services.accounts.show(visit.actor, visit.path["id"])}


PAGE = Page("/people/{id}", "Account", "pages/account.html", load, action="accounts:manage")
