"""From the link of the first start to the first answers."""

from __future__ import annotations

from support.browsing import Visitor
from support.console import EMAIL, PASSWORD, Person


def test_from_the_link_to_the_first_answer(stranger: Visitor) -> None:
    with Person(stranger.server) as person:
        link = person.link()
    stranger.follow(link)
    page = stranger.page
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/console/")
    stranger.go("/chat")
    page.get_by_label("Message").fill("good morning")
    page.get_by_label("Message").press("Enter")
    page.locator(".turn[data-role=assistant] .said", has_text="good morning").wait_for()


def test_signing_in_leads_back_to_the_page(owner: Visitor) -> None:
    owner.go("/classify")
    owner.page.get_by_role("button", name="Sign out").click()
    owner.page.wait_for_url("**/console/sign-in")
    owner.go("/summarize")
    owner.page.get_by_label("E-mail").fill(EMAIL)
    owner.page.get_by_label("Password").fill(PASSWORD)
    owner.page.get_by_role("button", name="Sign in").click()
    owner.page.wait_for_url("**/console/summarize")


def test_somebody_registers_and_asks(stranger: Visitor) -> None:
    page = stranger.go("/register")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    stranger.sign_in("ada@example.org", PASSWORD)
    stranger.go("/classify")
    page.get_by_role("button", name="Classify").click()
    page.locator(".bars li").first.wait_for()
