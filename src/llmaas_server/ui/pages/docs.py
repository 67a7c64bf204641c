"""The API, for people who write programs: what `/openapi.json` says, as a page."""

from __future__ import annotations

import asyncio

from llmaas_server.ui.manual import manual_of
from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    document = await visit.house.description.read()
    return {"manual": await asyncio.to_thread(manual_of, document)}


PAGE = Page("/docs", "API", "pages/docs.html", load, "Manage", order=90)
