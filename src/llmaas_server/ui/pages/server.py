"""The server: whether it is well, what waits and runs, who computes, what was done."""

from __future__ import annotations

from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    house = visit.house
    figures = house.figures.read()
    return {
        "figures": figures,
        "lanes": {one.model: one for one in figures.lanes},
        "workers": house.workers(),
        "resident": house.status().models,
    }


PAGE = Page(
    "/server", "Server", "pages/server.html", load, "Server", order=10, action="metrics:read"
)
