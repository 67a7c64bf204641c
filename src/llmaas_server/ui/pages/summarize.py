"""Summarize: a shorter text, with the sources of each sentence."""

from __future__ import annotations

from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.reading import MOST_BYTES, SUFFIXES
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    return {"suffixes": list(SUFFIXES), "most_bytes": MOST_BYTES}


PAGE = Page("/summarize", "Summarize", "pages/summarize.html", load, "Playground", order=20)
