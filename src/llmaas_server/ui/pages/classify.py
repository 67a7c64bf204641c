"""Classify: labels, live scores, and what they rest on."""

from __future__ import annotations

from llmaas_server.ui.page import Page

PAGE = Page("/classify", "Classify", "pages/classify.html", section="Playground", order=10)
