"""One task from the sign-in to what a result rests on, with no pointer at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.browsing import Visitor, expect
from support.console import EMAIL, PASSWORD, Person

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOST_STOPS = 60

NAME = """(() => {
  const one = document.activeElement;
  return one.labels?.[0]?.innerText ?? one.getAttribute("aria-label") ?? one.textContent ?? "";
})()"""


def tab_to(page: Page, name: str) -> None:
    """On by the Tab key until what has the focus begins with this name."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if str(page.evaluate(NAME)).strip().startswith(name):
            return
    raise AssertionError(f"the Tab key does not lead to {name!r}")


def test_a_text_is_summarized(stranger: Visitor) -> None:
    with Person(stranger.server) as person:
        person.become_owner()
    page = stranger.go("/sign-in")
    keys = page.keyboard
    keys.type(EMAIL)  # the page has put the focus there
    tab_to(page, "Password")
    keys.type(PASSWORD)
    keys.press("Enter")
    page.wait_for_url("**/console/")

    tab_to(page, "Summarize")
    keys.press("Enter")
    page.wait_for_url("**/console/summarize")
    tab_to(page, "Skip to the content")
    keys.press("Enter")
    tab_to(page, "Text")
    keys.type("The bridge is closed. It opens in May.")
    tab_to(page, "Length")
    keys.press("ArrowDown")
    tab_to(page, "Leave out what the text does not support")
    keys.press("Space")
    tab_to(page, "Summarize")
    keys.press("Enter")
    page.locator(".summary").wait_for()
    tab_to(page, "It opens in May.")
    expect(page.locator(".source mark")).to_have_text("It opens in May.")
    assert page.get_by_label("Length").input_value() == "long"
    assert page.get_by_label("Leave out").is_checked()
