"""Each task to a visible result, and what one can do with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.browsing import Visitor, expect
from support.pdfs import pdf

STORY = (
    "The council met on Monday. It agreed on a new bridge. The bridge will cost two million. "
    "Work begins in May. People are happy. The mayor spoke for an hour."
)


def test_classify_shows_scores_words_and_code(owner: Visitor) -> None:
    page = owner.go("/classify")
    page.get_by_role("button", name="Sentiment").click()
    page.get_by_label("Explain").check()
    page.get_by_role("button", name="Classify").click()
    expect(page.locator(".bars li")).to_have_count(2)
    expect(page.locator(".heat mark").first).to_be_visible()
    expect(page.get_by_text("Request req_")).to_be_visible()
    page.get_by_text("Copy as code").click()
    code = page.locator(".snippets pre code")
    expect(code).to_contain_text("client.classify(")
    page.get_by_role("button", name="curl").click()
    expect(code).to_contain_text("/v1/tasks/classify")
    page.get_by_role("button", name="OpenAI client").click()
    expect(code).to_contain_text("from openai import OpenAI")


def test_classify_abstains_where_it_is_told_to(owner: Visitor) -> None:
    page = owner.go("/classify")
    page.get_by_label("Abstain below").fill("1")
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_text("Abstained")).to_be_visible()


def test_labels_become_a_classifier(owner: Visitor) -> None:
    page = owner.go("/classify")
    page.get_by_role("button", name="Sentiment").click()
    page.get_by_role("button", name="Save as classifier").click()
    page.get_by_label("Name").fill("moods")
    page.get_by_label("Examples of positive").fill("wonderful food\nwhat a great day\nI love it")
    page.get_by_label("Examples of negative").fill("awful food\nwhat a bad day\nI hate it")
    page.get_by_role("button", name="Train").click()
    expect(page.get_by_label("Decide by")).to_have_value("moods")
    page.get_by_role("button", name="Classify").click()
    expect(page.locator(".bars li")).to_have_count(2)


def test_too_few_labels_are_told_and_nothing_is_lost(owner: Visitor) -> None:
    page = owner.go("/classify")
    for _ in range(2):
        page.get_by_role("button", name="Remove the label").first.click()
    page.get_by_role("button", name="Classify").click()
    expect(page.locator("[data-answer] .notice.bad")).to_contain_text("1 label")
    expect(page.get_by_label("Text")).not_to_have_value("")
    owner.complaints.clear()  # the browser notes the refused request itself


def test_summarize_shows_what_a_sentence_rests_on(owner: Visitor) -> None:
    page = owner.go("/summarize")
    page.get_by_label("Text", exact=True).fill(f"𝕏 {STORY}")  # a character of two halves
    page.get_by_role("button", name="Summarize").click()
    second = page.locator(".summary button").nth(1)
    second.focus()
    expect(page.locator(".source mark")).to_have_text(second.inner_text())
    expect(page.get_by_text("coverage 100.0 %")).to_be_visible()


def test_a_file_is_read(owner: Visitor, tmp_path: Path) -> None:
    page = owner.go("/summarize")
    file = tmp_path / "story.html"
    file.write_text(f"<html><style>x</style><h1>News</h1><p>{STORY}</p></html>")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_label("Text", exact=True)).to_have_value(f"News\n\n{STORY}")
    report = tmp_path / "report.pdf"
    report.write_bytes(pdf("The first page.", "The second."))
    page.locator("input[type=file]").set_input_files(report)
    expect(page.get_by_label("Text", exact=True)).to_have_value("The first page.\n\nThe second.")
    report.write_bytes(pdf("secret", password="sesame"))
    page.locator("input[type=file]").set_input_files(report)
    expect(page.locator(".toast.bad")).to_contain_text("The PDF is locked")
    expect(page.get_by_label("Text", exact=True)).to_have_value("The first page.\n\nThe second.")
    other = tmp_path / "picture.png"
    other.write_bytes(b"x")
    page.locator("input[type=file]").set_input_files(other)
    expect(page.get_by_text(".png cannot be read").first).to_be_visible()
    owner.complaints.clear()


def test_chat_edits_branches_and_regenerates(owner: Visitor) -> None:
    page = owner.go("/chat")
    page.get_by_label("Message").fill("first question")
    page.get_by_role("button", name="Send").click()
    answers = page.locator(".turn[data-role=assistant]")
    expect(answers.get_by_role("button", name="Regenerate")).to_be_visible()
    answers.get_by_role("button", name="Regenerate").click()
    expect(page.get_by_text("2/2")).to_be_visible()
    page.locator(".turn[data-role=user]").get_by_role("button", name="Edit").click()
    page.get_by_label("The message").fill("another question")
    page.get_by_role("button", name="Send as a new branch").click()
    expect(answers.locator(".said")).to_have_text("another question")
    page.get_by_role("button", name="The version before").first.click()
    expect(page.locator(".turn[data-role=user] .said")).to_have_text("first question")


def test_conversations_stay_in_the_browser(owner: Visitor) -> None:
    page = owner.go("/chat")
    page.get_by_label("Message").fill("remember me")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Regenerate").wait_for()
    with page.expect_download() as started:
        page.get_by_role("button", name="Export JSON").click()
    kept = json.loads(Path(started.value.path()).read_text())
    assert [turn["content"] for turn in kept["turns"]] == ["remember me", "remember me"]
    page.reload()
    page.get_by_label("Conversations").select_option(label="remember me")
    expect(page.locator(".turn[data-role=user] .said")).to_have_text("remember me")


def test_an_answer_by_a_schema(owner: Visitor) -> None:
    page = owner.go("/chat")
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    page.get_by_text("Structured output").click()
    page.get_by_label("JSON schema").fill(json.dumps(schema))
    page.get_by_label("Message").fill("where")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".turn[data-role=assistant] .said")).to_contain_text("city")


def test_sampling_that_is_wrong_is_told(owner: Visitor) -> None:
    page = owner.go("/chat")
    page.get_by_text("Structured output").click()
    for schema, told in (("{", "is no JSON:"), ("[1]", "is no JSON object")):
        page.get_by_label("JSON schema").fill(schema)
        page.get_by_label("Message").fill("where")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("alert")).to_contain_text(told)
        expect(page.get_by_label("Message")).to_have_value("where")
    page.get_by_label("JSON schema").fill("")
    page.get_by_label("Temperature").fill("11")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".turn")).to_have_count(0)


def test_sampling_shows_the_defaults_and_goes_back_to_them(owner: Visitor) -> None:
    page = owner.go("/chat")
    (stated,) = (
        one["sampling"]
        for one in owner.server.http.get("/v1/models").json()["data"]
        if "chat" in one["default_for"]
    )
    expect(page.get_by_label("Temperature")).to_have_attribute(
        "placeholder", str(stated["temperature"])
    )
    expect(page.get_by_label("Tokens at most")).to_have_attribute(
        "placeholder", str(stated["max_tokens"])
    )
    back = page.get_by_role("button", name="Back to the defaults")
    expect(back).to_be_disabled()
    page.get_by_label("Temperature").fill("0.25")
    page.get_by_label("Top k").fill("7")
    page.get_by_label("Message").fill("hello")
    with page.expect_request("**/v1/tasks/chat") as sent:
        page.get_by_role("button", name="Send").click()
    body: dict[str, Any] = json.loads(sent.value.post_data or "")
    assert {name: body[name] for name in ("temperature", "top_k")} == {
        "temperature": 0.25,
        "top_k": 7,
    }
    page.get_by_role("button", name="Regenerate").wait_for()
    back.click()
    expect(page.get_by_label("Temperature")).to_have_value("")
    with page.expect_request("**/v1/tasks/chat") as sent:
        page.get_by_role("button", name="Regenerate").click()
    assert set(json.loads(sent.value.post_data or "")) == {"messages", "stream"}
    expect(page.get_by_text("2/2")).to_be_visible()


def test_scores_follow_what_is_typed(owner: Visitor) -> None:
    page = owner.go("/classify")
    page.get_by_role("button", name="Classify").click()
    expect(page.locator(".bars li")).to_have_count(3)
    page.get_by_role("button", name="Add a label").click()
    page.get_by_label("Label", exact=True).last.fill("weather")
    expect(page.locator(".bars li")).to_have_count(4)
    page.get_by_role("checkbox", name="Live").uncheck()
    page.get_by_role("button", name="Remove the label").last.click()
    page.get_by_label("Text").fill("another text")
    page.get_by_role("button", name="Classify").click()
    expect(page.locator(".bars li")).to_have_count(3)


def test_labels_are_pasted_as_a_list(owner: Visitor) -> None:
    page = owner.go("/classify")
    labels = page.get_by_label("Label", exact=True)
    labels.last.press("Enter")
    expect(labels).to_have_count(4)
    labels.last.evaluate(
        "(input) => { const clipboardData = new DataTransfer();"
        " clipboardData.setData('text', 'hot: above 30 degrees\\ncold');"
        " input.dispatchEvent(new ClipboardEvent('paste',"
        " { clipboardData, bubbles: true, cancelable: true })); }"
    )
    expect(labels).to_have_count(5)
    expect(labels.nth(3)).to_have_value("hot")
    expect(page.get_by_label("What the label means").nth(3)).to_have_value("above 30 degrees")


def test_an_answer_that_does_not_come_is_told_and_tried_again(owner: Visitor) -> None:
    page = owner.go("/chat")
    page.route("**/v1/tasks/chat", lambda route: route.abort(), times=1)
    page.get_by_label("Message").fill("are you there")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".thread .notice.bad")).to_contain_text("llmaas serve")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".turn[data-role=assistant] .said")).to_have_text("are you there")
    expect(page.locator(".thread .notice.bad")).to_have_count(0)
    owner.complaints.clear()  # the request that was cut


def test_a_browser_without_room_says_so_once(owner: Visitor) -> None:
    page = owner.go("/chat")
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new DOMException(); }; }")
    page.get_by_label("Message").fill("hello")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".toast.bad")).to_contain_text("export it")
    page.get_by_role("button", name="Put away").click()
    page.get_by_role("button", name="Regenerate").click()
    expect(page.get_by_text("2/2")).to_be_visible()
    expect(page.locator(".toast.bad")).to_have_count(0)
