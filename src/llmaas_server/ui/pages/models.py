"""Models: what is here, what is in memory, what is on its way, and what can come."""

from __future__ import annotations

from llmaas_server.models import catalogue
from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    models = await visit.house.listing.every()
    here = {model.id for model in models}
    figures = visit.house.figures.read()
    writes = visit.may("models:write")
    return {
        "models": models,
        "used": figures.memory_bytes,
        "limit": figures.memory_limit,
        "pulls": visit.house.pulls.list() if writes else [],
        "catalogue": [entry for entry in catalogue.load().model if entry.name not in here],
    }


PAGE = Page("/models", "Models", "pages/models.html", load, "Manage", order=40)
