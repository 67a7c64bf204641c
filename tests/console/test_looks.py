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


CELLS = """[...document.querySelectorAll("table.stacked tbody tr")].map((row) => {
  const heads = [...row.closest("table").querySelectorAll("th")].map((one) => one.textContent);
  const names = [...row.cells].map((one) => one.dataset.name ?? null);
  return [heads, names];
})"""
WIDE = """[...document.querySelectorAll(".scroll:has(> .stacked)")]
  .filter((one) => one.scrollWidth > one.clientWidth)
  .map((one) => one.getAttribute("aria-label"))"""
LONG = ["x" * 100, "東京の図書館の長い名前", "متجر الكتب العربية للأطفال والكبار"]


def test_rows_are_cards_on_a_phone(browser: Browser, server: Front) -> None:
    """Each cell says what it is, and nobody scrolls sideways, however long names are."""
    for name in LONG:
        made = server.manage.post(
            "/v1/applications", json={"name": name, "budget": {"amount": "1", "period": "day"}}
        ).json()
        key = {"name": name, "kind": "inference", "application_id": made["id"]}
        secret = server.manage.post("/v1/keys", json=key).json()["secret"]
        ask = {"messages": [{"role": "user", "content": "hello"}]}
        headers = {"authorization": f"Bearer {secret}"}
        server.http.post("/v1/tasks/chat", json=ask, headers=headers).raise_for_status()
    server.manage.post("/v1/prices", json={"prompt": "1"}).raise_for_status()
    server.manage.post("/v1/invitations", json={"days": 3}).raise_for_status()
    with visiting(browser, server, **LOOKS["phone"]) as visitor:
        visitor.become_owner()
        for path in ("/applications", "/keys", "/usage", "/audit", "/models", "/people", "/prices"):
            page = visitor.go(path)
            page.wait_for_load_state("networkidle")
            rows: list[tuple[list[str], list[str | None]]] = page.evaluate(CELLS)
            assert rows, path
            for heads, names in rows:
                expected = [None if head == "Actions" else head for head in heads[1:]]
                assert names == [None, *expected], path
            assert page.evaluate(WIDE) == [], path
            assert serious(page) == [], path
