"""Documents in a browser: dropped, read in parts that are counted, and marked where unsupported."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from llmaas_server.backends.fake import FakeBackend
from llmaas_server.seam.backend import Tally
from llmaas_server.seam.values import Accepted, Event, Progress, Result
from support.browsing import Visitor, expect, visiting
from support.console import served
from support.looks import LOOKS, fits, serious
from support.pdfs import pdf

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TEXT = "The bridge is closed. It opens in May."
INVENTED = "The mayor resigned."
PATIENCE = 30.0


class Thorough(FakeBackend):
    """Reads in parts, and says one thing that the text does not."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        """Set by the test that has seen how far it is."""

    async def run(self, call_id: str, tally: Tally | None = None) -> AsyncGenerator[Event, None]:
        async for event in super().run(call_id, tally):
            if isinstance(event, Result):
                event = msgspec.structs.replace(event, body=doubted(event.body))
            yield event
            if isinstance(event, Accepted):
                yield Progress("reading", 3, 8)
                assert await asyncio.to_thread(self.go.wait, PATIENCE)


def doubted(body: dict[str, Any]) -> dict[str, Any]:
    invented = {
        "text": INVENTED,
        "sources": [{"start": 0, "end": 21, "document": 0}],
        "support": 0.07,
        "supported": False,
        "reasons": ["the text names no mayor"],
    }
    return body | {"sentences": [*body["sentences"], invented], "unsupported": 1}


@pytest.fixture
def backend() -> Iterator[Thorough]:
    backend = Thorough()
    yield backend
    backend.go.set()


@pytest.mark.parametrize("look", LOOKS)
def test_how_far_it_is_and_what_the_text_does_not_support(
    browser: Browser, backend: Thorough, tmp_path: Path, pictures: Path, look: str
) -> None:
    with (
        served(tmp_path, backend) as server,
        visiting(browser, server, **LOOKS[look]) as visitor,
    ):
        visitor.become_owner()
        page = visitor.go("/summarize")
        page.get_by_label("Text", exact=True).fill(TEXT)
        page.get_by_role("button", name="Summarize").click()
        bar = page.get_by_role("progressbar", name="Progress")
        expect(bar).to_have_attribute("aria-valuenow", "38")
        expect(page.locator(".progress")).to_contain_text("3 of 8")
        assert serious(page) == []
        backend.go.set()

        doubtful = page.locator(".summary li", has_text=INVENTED)
        expect(doubtful.locator(".badge.bad")).to_have_text("not supported")
        expect(doubtful).to_contain_text("the text names no mayor")
        expect(page.get_by_text("1 not supported")).to_be_visible()
        doubtful.get_by_role("button").hover()
        expect(page.locator(".source mark")).to_have_text("The bridge is closed.")
        page.locator(".summary button").nth(1).focus()  # as the Tab key does
        expect(page.locator(".source mark")).to_have_text("It opens in May.")
        page.screenshot(path=pictures / f"summarize-doubted-{look}.png", full_page=True)
        assert serious(page) == []
        assert fits(page)


def drop(visitor: Visitor, name: str, content: bytes, padding: int = 0) -> None:
    """As a person drops a file that comes from outside the browser."""
    visitor.page.evaluate(
        """([name, content, padding]) => {
          const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes, new Uint8Array(padding)], name));
          const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
          document.querySelector("[data-drop]").dispatchEvent(event);
        }""",
        [name, base64.b64encode(content).decode(), padding],
    )


def test_a_pdf_is_dropped(owner: Visitor) -> None:
    page = owner.go("/summarize")
    drop(owner, "report.pdf", pdf("The bridge is closed.", "It opens in May."))
    text = page.get_by_label("Text", exact=True)
    expect(text).to_have_value("The bridge is closed.\n\nIt opens in May.")
    page.get_by_role("button", name="Summarize").click()
    expect(page.locator(".summary button")).to_have_text(
        ["The bridge is closed.", "It opens in May."]
    )


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("locked.pdf", pdf("x", password="x"), "Save it without a password"),
        ("scanned.pdf", pdf(""), "text recognition"),
        ("broken.pdf", b"%PDF-1.7 broken", "it is damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_what_was_there_stays(
    owner: Visitor, name: str, content: bytes, told: str
) -> None:
    page = owner.go("/summarize")
    text = page.get_by_label("Text", exact=True)
    text.fill(TEXT)
    drop(owner, name, content)
    expect(page.locator(".toast.bad")).to_contain_text(told)
    expect(text).to_have_value(TEXT)
    owner.complaints.clear()  # the browser notes the refused request itself


def test_a_file_that_is_too_large_is_not_even_sent(owner: Visitor) -> None:
    page = owner.go("/summarize")
    drop(owner, "large.txt", b"x", padding=20 * 2**20)
    expect(page.locator(".toast.bad")).to_contain_text("20 MiB is the most")
