"""Keys, applications, usage and the audit trail, as a person manages them."""

from __future__ import annotations

import re

import httpx

from support.browsing import Visitor, expect
from support.console import PASSWORD, Person

CHAT = {"messages": [{"role": "user", "content": "hello"}]}
XSS = '"><img src=x onerror=window.hit=1>'


def ask(visitor: Visitor, key: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{visitor.server.url}/v1/tasks/chat", json=CHAT, headers=headers)


def make_application(visitor: Visitor, name: str, budget: str = "") -> None:
    page = visitor.go("/applications")
    page.get_by_label("Name").fill(name)
    if budget:
        page.get_by_label("Budget").fill(budget)
        page.get_by_label("Period").select_option("total")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator(".toast")).to_contain_text("is made")


def make_key(visitor: Visitor, name: str, application: str) -> str:
    page = visitor.go("/keys")
    form = page.locator("section", has_text="New inference key")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Application").select_option(label=application)
    form.get_by_role("button", name="Make the key").click()
    secret = page.locator("dialog code").inner_text()
    page.get_by_role("button", name="I have kept it").click()
    expect(page.locator(".toast")).to_contain_text("is made")
    return secret


def test_a_key_is_made_used_revoked_and_refused(owner: Visitor) -> None:
    make_application(owner, "shop")
    secret = make_key(owner, "till", "shop")
    assert re.fullmatch(r"llmaas_sk_\w+", secret)
    assert ask(owner, secret).is_success
    page = owner.go("/keys")
    assert secret not in page.content()
    row = page.locator("tr", has_text="till")
    row.get_by_role("button", name="Revoke").click()
    page.locator("dialog").get_by_role("button", name="Revoke").click()
    expect(page.locator(".toast")).to_contain_text("is revoked")
    assert ask(owner, secret).json()["error"]["code"] == "invalid_key"
    page.get_by_role("link", name="Show those that have ended").click()
    expect(page.locator("tr", has_text="till").get_by_text("revoked")).to_be_visible()


def test_a_budget_is_reached_and_seen(owner: Visitor) -> None:
    price = {"prompt": "1000000"}  # one for a token
    owner.server.manage.post("/v1/prices", json=price).raise_for_status()
    make_application(owner, "small", budget="3")
    secret = make_key(owner, "spender", "small")
    for _ in range(4):
        refused = ask(owner, secret)
        if refused.is_error:
            break
    assert refused.json()["error"]["code"] == "budget_exceeded"
    page = owner.go("/applications")
    expect(page.locator("tr", has_text="small")).to_contain_text("3 of 3 a total")
    owner.server.manage.post("/v1/prices", json={"prompt": "0"}).raise_for_status()


def test_keys_ask_for_the_password_again(stranger: Visitor) -> None:
    """Who came by a link has not given it."""
    with Person(stranger.server) as person:
        person.become_owner()
        link = person.link()
    stranger.follow(link)
    page = stranger.page
    page.wait_for_url("**/console/")
    stranger.go("/keys")
    form = page.locator("section", has_text="New management key")
    form.get_by_role("textbox", name="Name").fill("reader")
    form.get_by_label("usage:read").check()
    form.get_by_role("button", name="Make the key").click()
    page.locator("dialog").get_by_label("Password").fill(PASSWORD)
    page.locator("dialog").get_by_role("button", name="Go on").click()
    expect(page.locator("dialog code")).to_contain_text("llmaas_mk_")
    stranger.complaints.clear()  # the refusal before the password


def test_limits_of_an_application_and_a_key_are_changed(owner: Visitor) -> None:
    make_application(owner, "bounded")
    make_key(owner, "bound", "bounded")
    for path, name in (("/applications", "bounded"), ("/keys", "bound")):
        page = owner.go(path)
        page.locator("tr", has_text=name).first.get_by_role("link", name="Change").click()
        page.get_by_label("Requests a minute").fill("9")
        page.get_by_label("Budget").fill("2.5")
        page.get_by_label("Period").select_option("day")
        page.get_by_role("button", name="Set", exact=True).click()
        expect(page.locator(".toast")).to_be_visible()
        expect(page.locator("dl.figures")).to_contain_text("9 requests/min")
        expect(page.locator("dl.figures")).to_contain_text("0 of 2.5 a day")
        page.get_by_role("button", name="Lift all").click()
        page.locator("dialog").get_by_role("button", name="Lift all").click()
        expect(page.locator("dl.figures")).not_to_contain_text("requests/min")
        page.get_by_label("Name").fill(f"{name} anew")
        page.get_by_role("button", name="Rename").click()
        expect(page.get_by_role("heading", name=f"{name} anew")).to_be_visible()


def test_usage_is_shown_by_day_task_and_key(owner: Visitor) -> None:
    owner.server.http.post("/v1/tasks/chat", json=CHAT).raise_for_status()
    page = owner.go("/usage")
    expect(page.get_by_label("Calls by day").locator("rect").last).to_be_visible()
    expect(page.get_by_role("region", name="Usage by task")).to_contain_text("chat")
    by_key = page.get_by_role("region", name="Usage by key").locator("tr", has_text="this machine")
    expect(by_key.get_by_role("img").first).to_be_visible()
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_label("Calls by day").locator("rect")).to_have_count(7)


def test_the_audit_trail_is_paged_and_verified(owner: Visitor) -> None:
    for number in range(60):
        body = {"name": f"app {number}"}
        one = owner.server.manage.post("/v1/applications", json=body).json()["id"]
        owner.server.manage.delete(f"/v1/applications/{one}").raise_for_status()
    page = owner.go("/audit")
    expect(page.get_by_text("has not been verified since")).to_be_visible()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(100)
    expect(rows.first).to_contain_text("applications.close")  # the newest first
    last = int(rows.last.locator("td").first.inner_text())
    page.get_by_role("link", name="Earlier rows").click()
    expect(rows.first.locator("td").first).to_have_text(str(last - 1))
    expect(rows.last.locator("td").first).to_have_text("1")
    page.get_by_role("link", name="Verify the whole trail").click()
    expect(page.get_by_text("The trail is whole.")).to_be_visible()
    expect(rows.first.locator("td").first).to_have_text(str(last - 1))
    owner.go("/audit")
    expect(page.get_by_text("The trail is whole.")).to_be_visible()


def test_names_are_text(owner: Visitor) -> None:
    make_application(owner, XSS)
    make_key(owner, XSS, XSS)
    for path in ("/applications", "/keys", "/usage", "/audit"):
        page = owner.go(path)
        assert page.evaluate("window.hit") is None
        assert page.locator("main img").count() == 0
    row = owner.go("/keys").locator("tr", has_text=XSS)
    row.get_by_role("button", name="Revoke").click()
    expect(owner.page.locator("dialog")).to_contain_text(XSS)
    assert owner.page.evaluate("window.hit") is None
