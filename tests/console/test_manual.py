"""The page of the API in a browser: found, opened by a link, copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.browsing import Visitor

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect


def test_an_address_is_found(owner: Visitor) -> None:
    page = owner.go("/docs")
    page.get_by_label("Find an address").fill("post chat")
    expect(page.locator("[data-found]")).to_contain_text(" of ")
    shown = page.locator("[data-operation]:visible")
    assert 3 <= shown.count() < 10
    for operation in shown.all():
        assert "chat" in (operation.get_attribute("data-operation") or "").lower()
    expect(page.get_by_role("heading", name="accounts")).to_be_hidden()
    page.get_by_label("Find an address").fill("")
    expect(page.get_by_role("heading", name="accounts")).to_be_visible()


def test_a_link_opens_what_it_leads_to(owner: Visitor) -> None:
    page = owner.go("/docs#post_v1_tasks_chat")
    operation = page.locator("#post_v1_tasks_chat")
    expect(operation).to_have_attribute("open", "")
    page.get_by_label("Find an address").fill("keys")
    expect(operation).to_be_hidden()
    page.evaluate("location.hash = '#shape-ChatRequest'")
    expect(page.locator("#shape-ChatRequest")).to_have_attribute("open", "")
    expect(page.locator("#shape-ChatRequest")).to_be_in_viewport()


def test_a_sample_is_copied(owner: Visitor) -> None:
    owner.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = owner.go("/docs#post_v1_tasks_chat")
    page.locator("#post_v1_tasks_chat").get_by_role("button", name="Copy").first.click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert "/v1/tasks/chat" in page.evaluate("navigator.clipboard.readText()")


def test_it_is_there_without_a_script(owner: Visitor) -> None:
    """Closed details open by themselves; the search, which would do nothing, is not shown."""
    page = owner.go("/docs")
    html = page.request.get(page.url).text()
    assert "data-filter-row hidden" in html
    assert html.count("<details") > 100
