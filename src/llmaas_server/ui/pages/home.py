"""The first page: what there is, and what is in memory."""

from __future__ import annotations

from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    status = visit.house.status()
    return {"models": status.models, "is_ready": status.ready}


PAGE = Page("/", "Home", "pages/home.html", load, section="Playground", order=0)
