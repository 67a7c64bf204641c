"""What people and models write is text, wherever it is shown: no script of it runs."""

from __future__ import annotations

import pytest

from support.browsing import Visitor, expect

CORPUS = [
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    "<svg onload=window.hit=1>",
    '"><iframe srcdoc="<script>parent.hit=1</script>">',
    "'-window.hit=1-'",
    "[click](javascript:window.hit=1)",
    "![x](https://elsewhere.example/x.png)",
    '[x](https://elsewhere.example/" onmouseover="window.hit=1)',
    "<a href=javascript:window.hit=1>x</a>",
    "{{ 7 * 7 }}{% raw %}${window.hit=1}",
    "```html\n<script>window.hit=1</script>\n```",
    "`<img src=x onerror=window.hit=1>`",
    "javascript:window.hit=1//</title></textarea></script><script>window.hit=1</script>",
]


def is_safe(visitor: Visitor) -> None:
    page = visitor.page
    assert page.evaluate("window.hit") is None
    assert page.locator("main img, main iframe, main svg, main script").count() == 0
    hrefs: list[str] = page.locator("main a").evaluate_all("all => all.map(one => one.href)")
    assert all(href.startswith(("http://", "https://")) for href in hrefs)


@pytest.mark.parametrize("text", CORPUS)
def test_in_chat(owner: Visitor, text: str) -> None:
    """The fake backend says what it is told: the same text is a prompt and an answer."""
    page = owner.go("/chat")
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Regenerate").wait_for()
    is_safe(owner)
    page.get_by_text("Copy as code").click()
    is_safe(owner)
    page.reload()
    page.get_by_label("Conversations").select_option(index=1)
    page.get_by_role("button", name="Regenerate").wait_for()
    is_safe(owner)


def test_in_texts_labels_and_their_meanings(owner: Visitor) -> None:
    page = owner.go("/classify")
    while page.get_by_role("button", name="Remove the label").count():
        page.get_by_role("button", name="Remove the label").first.click()
    for text in CORPUS:
        page.get_by_role("button", name="Add a label").click()
        page.get_by_label("Label", exact=True).last.fill(text.replace("\n", " "))
    page.get_by_label("Text").fill("\n".join(CORPUS))
    page.get_by_label("Explain").check()
    page.get_by_role("button", name="Classify").click()
    expect(page.locator(".bars li")).to_have_count(len(CORPUS))
    is_safe(owner)


def test_in_summaries_and_their_sources(owner: Visitor) -> None:
    page = owner.go("/summarize")
    page.get_by_label("Text", exact=True).fill(". ".join(CORPUS))
    page.get_by_role("button", name="Summarize").click()
    page.locator(".summary button").first.click()
    is_safe(owner)


def test_in_addresses_and_forms(owner: Visitor) -> None:
    for text in CORPUS[:5]:
        owner.page.goto(f"{owner.server.url}/console/{text.replace(chr(10), '')}")
        assert owner.page.evaluate("window.hit") is None
        owner.go("/enter?token=" + text)
        assert owner.page.evaluate("window.hit") is None
    owner.complaints.clear()  # pages that are not there
