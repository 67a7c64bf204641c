"""The server: whether it is well, what waits and runs, who computes, what was done."""

from __future__ import annotations

from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    house = visit.house
    return {
        "figures": house.figures.read(),
        "workers": house.workers(),
        "resident": house.status().models,
    }


PAGE = Page(
    "/server", "Server", "pages/server.html", load, "Server", order=10, action="metrics:read"
)
