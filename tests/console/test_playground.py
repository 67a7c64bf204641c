"""Each task to a visible result, and what one can do with it."""

from __future__ import annotations

import json
from pathlib import Path

from support.browsing import Visitor, expect

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
    code = page.locator(".snippets code")
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
    expect(page.locator(".toast.bad")).to_contain_text("1 label")
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
    other = tmp_path / "picture.png"
    other.write_bytes(b"x")
    page.locator("input[type=file]").set_input_files(other)
    expect(page.locator(".toast.bad")).to_contain_text(".png cannot be read")
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
    page.get_by_label("JSON schema").fill(json.dumps(schema))
    page.get_by_label("Message").fill("where")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".turn[data-role=assistant] .said")).to_contain_text("city")


def test_sampling_that_is_wrong_is_told(owner: Visitor) -> None:
    page = owner.go("/chat")
    page.get_by_label("JSON schema").fill("{")
    page.get_by_label("Message").fill("where")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".toast.bad")).to_contain_text("no JSON")
