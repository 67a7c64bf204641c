"""Classifiers that the account has made from examples."""

from __future__ import annotations

from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    found = await visit.services.classifiers.list(visit.session.row.account_id)
    return {"classifiers": found.classifiers}


PAGE = Page("/classifiers", "Classifiers", "pages/classifiers.html", load, "Manage", order=50)
