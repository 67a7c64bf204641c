"""A person with a browser at the console; what the browser complains of fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from support.console import EMAIL, PASSWORD, Person
from support.front import Front

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

PATIENCE_MS = 15_000


@dataclass
class Visitor:
    """One browser profile, on one page."""

    server: Front
    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors of the console and of scripts."""

    def go(self, path: str) -> Page:
        """Open a page below `/console`."""
        self.page.goto(f"{self.server.url}/console{path}")
        return self.page

    def follow(self, path: str) -> None:
        """Follow a sign-in link to its end."""
        self.page.goto(self.server.url + path)
        self.page.get_by_role("button", name="Sign in").click()

    def sign_in(self, email: str, password: str) -> None:
        self.go("/sign-in")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/console/")

    def become_owner(self) -> None:
        with Person(self.server) as person:
            person.become_owner()
        self.sign_in(EMAIL, PASSWORD)


@contextmanager
def visiting(browser: Browser, server: Front, **options: object) -> Iterator[Visitor]:
    """A new profile. Leaving checks that nothing was complained of."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    visitor = Visitor(server, page)
    page.on(
        "console",
        lambda said: visitor.complaints.append(said.text) if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    try:
        yield visitor
        assert visitor.complaints == []
    finally:
        context.close()
