"""Every page in light, dark and on a phone: accessible, and kept as a picture to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmaas_server.ui.page import Page, find_pages
from support.browsing import visiting
from support.front import Front
from support.looks import LOOKS, fits, serious

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = [page for page in find_pages() if "{" not in page.path]
BEFORE = ["/sign-in", "/register", "/enter"]


@pytest.mark.parametrize("look", LOOKS)
def test_pages(browser: Browser, server: Front, pictures: Path, look: str) -> None:
    with visiting(browser, server, **LOOKS[look]) as visitor:
        for path in BEFORE:
            page = visitor.go(path)
            page.screenshot(path=pictures / f"{path.strip('/')}-{look}.png", full_page=True)
            assert serious(page) == [], path
            assert fits(page), path
        visitor.become_owner()
        for one in PAGES:
            page = visitor.go(one.path)
            page.wait_for_load_state("networkidle")
            name = one.path.strip("/").replace("/", "-") or "home"
            page.screenshot(path=pictures / f"{name}-{look}.png", full_page=True)
            assert serious(page) == [], one.path
            assert fits(page), one.path


@pytest.mark.parametrize("page_", PAGES, ids=lambda page: page.path)
def test_a_page_can_be_used_by_keyboard(browser: Browser, server: Front, page_: Page) -> None:
    """Every stop of the Tab key shows where it is, and the first leads to the content."""
    with visiting(browser, server) as visitor:
        visitor.become_owner()
        page = visitor.go(page_.path)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        for _ in range(12):
            page.keyboard.press("Tab")
            seen = page.evaluate(
                "(() => { const one = document.activeElement; const style = getComputedStyle(one);"
                " return one === document.body || style.outlineStyle !== 'none'; })()"
            )
            assert seen
