"""Each task in a browser, from the models that come along to a result that is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from llmaas_client.wire.credentials import FILE_NAME, Credentials
from llmaas_server.models.store import Store
from support.console import EMAIL, PASSWORD
from support.looks import LOOKS, fits, serious
from support.serving import Serving, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.real_models

PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def real(embedded_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("server"), embedded_store.cache) as running:
        yield running


def link_of(server: Serving) -> str:
    kept = Credentials.model_validate_json((server.home / FILE_NAME).read_bytes())
    headers = {"authorization": f"Bearer {kept.servers[server.base_url].management_key}"}
    made = httpx.post(f"{server.base_url}/v1/sign-in-links", headers=headers)
    return f"{server.base_url}{made.json()['path']}"


def enter(page: Page, server: Serving) -> None:
    """By the link, as the owner; who has no password yet chooses one."""
    page.goto(link_of(server))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading").first.wait_for()
    if page.get_by_label("E-mail").count():
        page.get_by_label("E-mail").fill(EMAIL)
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/console/")


@pytest.mark.parametrize("look", LOOKS)
def test_each_task(browser: Browser, real: Serving, pictures: Path, look: str) -> None:
    from support.browsing import expect  # skips where there is no playwright

    context = browser.new_context(**LOOKS[look])
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)

    def looks_well(name: str) -> None:
        page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
        page.screenshot(path=pictures / f"{name}-result-{look}.png", full_page=True)
        assert serious(page) == []
        assert fits(page)

    enter(page, real)

    page.goto(f"{real.base_url}/console/classify")
    page.get_by_label("Explain").check()
    page.get_by_role("button", name="Classify").click()
    page.locator(".verdict", has_text="billing").wait_for()
    expect(page.locator(".heat mark").first).to_be_visible()
    expect(page.locator(".model-state")).to_contain_text("in memory")
    looks_well("classify")

    page.goto(f"{real.base_url}/console/summarize")
    page.get_by_role("button", name="A short report").click()
    page.get_by_role("button", name="Summarize").click()
    sentence = page.locator(".summary button").first
    sentence.wait_for()
    sentence.focus()
    expect(page.locator(".source mark").first).to_have_text(sentence.inner_text())
    looks_well("summarize")

    page.goto(f"{real.base_url}/console/chat")
    expect(page.get_by_label("Temperature")).to_have_attribute("placeholder", "0.2")
    page.get_by_label("Tokens at most").fill("24")
    page.get_by_label("Message").fill("What is the capital of France?")
    page.keyboard.press("Enter")
    page.locator(".turn[data-role=assistant] .short-strip", has_text="Tokens/s").wait_for()
    expect(page.locator(".turn[data-role=assistant] .said")).to_have_text(re.compile(r"\w{2}"))
    looks_well("chat")

    assert complaints == []
    context.close()
