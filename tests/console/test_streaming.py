"""Answers that grow: smooth, and stopped when somebody says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmaas_server.backends.fake import FakeBackend
from llmaas_server.seam.values import Call
from support.browsing import Visitor, expect, visiting
from support.console import served
from support.front import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WATCH = """() => {
  const watch = (type, take) => {
    const kept = [];
    new PerformanceObserver((list) => kept.push(...list.getEntries().map(take))).observe({ type });
    return kept;
  };
  window.tasks = watch("longtask", (one) => one.duration);
  window.shifts = watch("layout-shift", (one) => (one.hadRecentInput ? 0 : one.value));
}"""


async def unhurried(call: Call) -> None:
    await asyncio.sleep(0.02)


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend(pace=unhurried)


@pytest.fixture
def patient(browser: Browser, backend: FakeBackend, tmp_path: Path) -> Iterator[Visitor]:
    """The owner of a server that takes its time."""
    with (
        served(tmp_path, backend) as server,
        visiting(browser, server) as visitor,
    ):
        visitor.become_owner()
        yield visitor


def test_stop_ends_the_answer_and_the_work(patient: Visitor, backend: FakeBackend) -> None:
    page = patient.go("/chat")
    page.get_by_label("Message").fill(" ".join(f"word{number}" for number in range(400)))
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".turn[data-role=assistant]")).to_contain_text("word3")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
    eventually(lambda: bool(backend.cancelled), "the server goes on computing")
    said = page.locator(".turn[data-role=assistant] .said")
    expect(said).to_contain_text("word3")
    expect(said).not_to_contain_text("word399")


def test_escape_stops_too(patient: Visitor, backend: FakeBackend) -> None:
    page = patient.go("/chat")
    page.get_by_label("Message").fill("word " * 400)
    page.get_by_label("Message").press("Enter")
    expect(page.locator(".turn[data-role=assistant]")).to_contain_text("word")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()


def test_two_thousand_tokens_hold_nothing_up(owner: Visitor) -> None:
    """No task of the browser over 50 ms while they stream, and nothing jumps."""
    page = owner.go("/chat")
    words = " ".join(f"*w{number}*" for number in range(2000))
    page.get_by_label("Tokens at most").fill("2000")
    page.get_by_label("Message").fill(words)
    page.evaluate(WATCH)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
    said = page.locator(".turn[data-role=assistant] .said")
    expect(said.locator("em")).to_have_count(2000)
    streamed: list[float] = page.evaluate("window.tasks")
    shifts: list[float] = page.evaluate("window.shifts")
    assert [task for task in streamed if task > 50] == []
    assert sum(shifts) < 0.1
