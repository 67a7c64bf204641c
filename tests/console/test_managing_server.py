"""Models, classifiers, the server itself, people and prices, as a person manages them."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from llmaas_client.wire.classifiers import ReliabilityBin
from llmaas_client.wire.operating import Operating
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.gateway.actions import OPERATOR
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.models.progress import Progress, Step, silent
from llmaas_server.models.store import Store
from llmaas_server.seam import heads
from llmaas_server.seam.lanes import BATCH_SIZES, STEP_SECONDS, Histogram, LaneState, LaneWork
from llmaas_server.seam.values import BackendStatus, ModelStatus
from llmaas_server.ui.page import find_pages
from support.browsing import Visitor, expect, visiting
from support.console import PASSWORD, Person, served
from support.front import Front
from support.looks import LOOKS, fits, serious
from support.model_files import model_folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

XSS = '"><img src=x onerror=window.hit=1>'
EXAMPLES = {
    "refund": ["give my money back", "i want a refund", "return this order", "money back please"],
    XSS: ["where is the parcel", "has it been sent", "track my order", "when does it come"],
}


class Slow(Store):
    """A store whose pulls go on when the test says so."""

    go = threading.Event()

    def pull(
        self, what: str, *, name: str | None = None, progress: Progress = silent
    ) -> InstalledModel:
        progress(Step("download", 3 << 20, 10 << 20))
        assert self.go.wait(30)
        return super().pull(what, name=name, progress=progress)


@pytest.fixture
def stocked(tmp_path: Path) -> Iterator[Front]:
    """A server whose models are files."""
    Slow.go = threading.Event()
    with served(tmp_path / "home", FakeBackend(), Slow(tmp_path / "cache")) as running:
        yield running
        Slow.go.set()


@pytest.fixture
def keeper(browser: Browser, stocked: Front) -> Iterator[Visitor]:
    with visiting(browser, stocked) as visitor:
        visitor.become_owner()
        yield visitor


def said(page: Page) -> None:
    """Waits for what a page says of a change."""
    expect(page.locator(".toast").first).to_be_visible()


def confirm(page: Page, button: str) -> None:
    page.locator("dialog").get_by_role("button", name=button).click()
    said(page)


def test_a_model_is_pulled_loaded_unloaded_and_removed(keeper: Visitor, tmp_path: Path) -> None:
    page = keeper.go("/models")
    expect(page.get_by_text("There are none yet.")).to_be_visible()
    page.get_by_label("Model", exact=True).fill(str(model_folder(tmp_path / "small")))
    page.get_by_role("button", name="Pull it").click()
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "30")
    expect(page.locator("#pulls")).to_contain_text("3.0 MiB of 10.0 MiB")
    Slow.go.set()
    expect(page.locator("#pulls")).to_contain_text("done")
    row = page.get_by_role("region", name="Models on this machine").locator("tr", has_text="small")
    expect(row.get_by_text("on disk", exact=True)).to_be_visible()
    row.get_by_role("button", name="Load").click()
    expect(row.get_by_text("in memory", exact=True)).to_be_visible()
    row.get_by_role("button", name="Unload").click()
    expect(row.get_by_text("on disk", exact=True)).to_be_visible()
    row.get_by_role("button", name="Remove").click()
    expect(page.locator("dialog")).to_contain_text("can be pulled again")
    confirm(page, "Remove")
    expect(page.get_by_text("There are none yet.")).to_be_visible()
    trail = keeper.go("/audit").locator("main")
    for action in ("models.pull", "models.load", "models.unload", "models.remove"):
        expect(trail.get_by_text(action).first).to_be_visible()


def test_a_pull_that_fails_says_what_to_do(keeper: Visitor) -> None:
    Slow.go.set()
    page = keeper.go("/models")
    page.get_by_label("Model", exact=True).fill(f"/nowhere/{XSS}")
    page.get_by_role("button", name="Pull it").click()
    expect(page.locator("#pulls .notice")).to_contain_text("there is no file or folder")
    expect(page.locator("#pulls .notice")).to_contain_text("Check the path")
    assert page.evaluate("window.hit") is None


def make_classifier(visitor: Visitor, name: str) -> None:
    body = {"name": name, "examples": EXAMPLES}
    visitor.server.http.post("/v1/classifiers", json=body).raise_for_status()


@pytest.fixture
def settler(browser: Browser, tmp_path: Path) -> Iterator[Visitor]:
    """The owner of a server on which nothing was done."""
    with served(tmp_path) as server, visiting(browser, server) as visitor:
        visitor.become_owner()
        yield visitor


def test_a_classifier_is_looked_at_and_deleted(settler: Visitor) -> None:
    expect(settler.go("/classifiers").get_by_text("There are none yet.")).to_be_visible()
    make_classifier(settler, "desk")
    make_classifier(settler, "desk")
    page = settler.go("/classifiers")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="desk@2").click()
    expect(page.get_by_role("heading", name="desk@2")).to_be_visible()
    expect(page.get_by_role("region", name="Labels")).to_contain_text(XSS)
    assert page.evaluate("window.hit") is None
    with page.expect_download() as download:
        page.get_by_role("link", name="Take it away as a file").click()
    assert download.value.suggested_filename == "desk@2.json"
    page.get_by_role("button", name="Delete this version").click()
    confirm(page, "Delete this version")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="desk@1").click()
    page.get_by_role("button", name="Delete all versions").click()
    confirm(page, "Delete all versions")
    expect(page.get_by_text("There are none yet.")).to_be_visible()
    gone = settler.go("/classifiers/desk@1")
    expect(gone.get_by_text("there is no classifier")).to_be_visible()
    settler.complaints.clear()  # the page that is not there


def keep_bins(server: Front, name: str) -> None:
    """The classifier once more, with the figures that the fake backend does not make up."""
    path = f"/v1/classifiers/{name}"
    head = heads.read(base64.b64decode(server.http.get(f"{path}/export").json()["file"]))
    bins = [
        ReliabilityBin(examples=40, confidence=0.4, accuracy=0.5),
        ReliabilityBin(examples=60, confidence=0.9, accuracy=0.8),
    ]
    points = [
        Operating(threshold=0.0, coverage=1.0, error=0.2, error_bound=0.3),
        Operating(threshold=0.9, coverage=0.5, error=0.1, error_bound=0.2),
    ]
    found = head.card.evaluation.model_copy(update={"reliability": bins, "operating": points})
    card = head.card.model_copy(update={"evaluation": found})
    file = base64.b64encode(heads.write(heads.Head(card, head.weights))).decode()
    server.http.post(f"{path}/import", json={"file": file}).raise_for_status()


@pytest.mark.parametrize("look", LOOKS)
def test_one_classifier_and_one_account_look_well(
    browser: Browser, server: Front, pictures: Path, look: str
) -> None:
    with visiting(browser, server, **LOOKS[look]) as visitor:
        visitor.become_owner()
        make_classifier(visitor, f"plot-{look}")
        keep_bins(server, f"plot-{look}")
        account = server.manage.get("/v1/accounts/me").json()["id"]
        for path in (f"/classifiers/plot-{look}@2", f"/people/{account}"):
            page = visitor.go(path)
            name = path.split("/")[1]
            page.screenshot(path=pictures / f"{name}-one-{look}.png", full_page=True)
            assert serious(page) == [], path
            assert fits(page), path
        page = visitor.go(f"/classifiers/plot-{look}@2")
        diagram = page.get_by_label("Reliability: accuracy against confidence")
        expect(diagram.locator("circle")).to_have_count(2)
        expect(diagram.locator("circle").first).to_have_attribute("cy", "120.0")
        visitor.go(f"/classifiers/plot-{look}@1")
        expect(page.get_by_text("has no bins of its scores")).to_be_visible()
    server.http.delete(f"/v1/classifiers/plot-{look}").raise_for_status()


def test_the_server_page_keeps_itself_current(owner: Visitor) -> None:
    page = owner.go("/server")
    expect(page.get_by_text("The server is well:")).to_be_visible()
    expect(page.locator("[data-rate=written]")).to_have_text(re.compile(r"\d+"))
    owner.server.http.post("/v1/tasks/embed", json={"text": "one two three"}).raise_for_status()
    row = page.get_by_role("region", name="Tasks").locator("tr", has_text="embed")
    expect(row.locator("td").nth(1)).to_have_text(re.compile("[1-9]"))
    expect(page.get_by_role("region", name="Workers")).to_contain_text("computes without workers")


class Stepping(FakeBackend):
    """Says of a lane what the test tells it to."""

    work = LaneWork("tiny", "generate")

    def status(self) -> BackendStatus:
        now = LaneState(running=2, waiting=5, kv_used_bytes=3000, kv_limit_bytes=8000)
        model = ModelStatus("tiny", "resident", 1.0, 1000, lane="generate", now=now)
        return msgspec.structs.replace(super().status(), models=[model], work=[self.work])


def test_the_server_page_shows_lanes_and_what_they_did_lately(
    browser: Browser, tmp_path: Path
) -> None:
    backend = Stepping()
    with served(tmp_path, backend) as server, visiting(browser, server) as owner:
        owner.become_owner()
        page = owner.go("/server")
        rates = {name: page.locator(f"[data-rate={name}]") for name in ("steps", "read", "written")}
        for rate in rates.values():
            expect(rate).to_have_text("0")
        steps, sequences = [0] * (len(STEP_SECONDS) + 1), [0] * (len(BATCH_SIZES) + 1)
        steps[3] = sequences[2] = 1000
        backend.work = LaneWork(
            "tiny",
            "generate",
            Histogram(tuple(steps), 10.0),
            Histogram(tuple(sequences), 2500.0),
            prefill_tokens=90_000,
            decode_tokens=30_000,
            prefix_queries=200,
            prefix_hits=50,
        )
        row = page.get_by_role("region", name="Lanes").locator("tr", has_text="tiny")
        expect(row).to_contain_text("2.5")
        told = [cell.strip() for cell in row.locator("td").all_inner_texts()]
        assert told[:2] == ["generate", "tiny"]
        assert told[3:8] == ["2", "5", "1000", "2.5", "25 %"]
        assert "of" in told[8]
        for rate in rates.values():
            expect(rate).to_have_text(re.compile(r"^\d*[1-9][\d.]*$"))
        assert 2 < float(rates["read"].inner_text()) / float(rates["written"].inner_text()) < 4


def invite(owner: Visitor) -> str:
    page = owner.go("/people")
    page.get_by_role("button", name="Invite").click()
    token = page.locator("dialog code").inner_text()
    page.get_by_role("button", name="I have kept it").click()
    said(page)
    return token


def test_somebody_is_invited_and_registers(browser: Browser, tmp_path: Path) -> None:
    with (
        served(tmp_path, registration="invite") as server,
        visiting(browser, server) as owner,
        visiting(browser, server) as guest,
    ):
        owner.become_owner()
        token = invite(owner)
        assert token not in owner.go("/people").content()
        guest.go(f"/register?invitation={token}")
        guest.page.get_by_label("E-mail").fill("guest@example.org")
        guest.page.get_by_label("Password").fill(PASSWORD)
        guest.page.get_by_role("button", name="Register").click()
        guest.sign_in("guest@example.org", PASSWORD)
        shown = guest.page.locator("nav.side")
        for one in find_pages():
            link = shown.get_by_role("link", name=one.title, exact=True)
            expect(link).to_have_count(0 if one.action in OPERATOR or not one.section else 1)
        prices = guest.go("/prices")
        expect(prices.get_by_role("heading", name="Set a price")).to_have_count(0)
        models = guest.go("/models")
        expect(models.get_by_role("button")).to_have_count(2)  # the theme, and the way out
        expect(guest.go("/people").get_by_text("Ask the operator")).to_be_visible()
        guest.complaints.clear()  # the page that is refused
        expect(owner.go("/people").get_by_text("used", exact=True)).to_be_visible()


def test_an_invitation_is_taken_back(owner: Visitor) -> None:
    invite(owner)
    page = owner.page
    before = page.get_by_role("button", name="Take back").count()
    page.get_by_role("button", name="Take back").first.click()
    confirm(page, "Take back")
    expect(page.get_by_role("button", name="Take back")).to_have_count(before - 1)


def test_an_account_is_made_limited_suspended_and_resumed(owner: Visitor) -> None:
    page = owner.go("/people")
    form = page.locator("section", has=page.get_by_role("heading", name="New account"))
    form.get_by_label("Name").fill(XSS)
    form.get_by_label("E-mail of its owner").fill("eve@example.org")
    form.get_by_label("First password").fill(PASSWORD)
    form.get_by_role("button", name="Make it").click()
    said(page)
    row = page.get_by_role("region", name="Accounts").locator("tr", has_text=XSS)
    row.get_by_role("link", name="Change").click()
    page.get_by_label("Calls at once").fill("3")
    page.get_by_label("Budget").fill("7.5")
    page.get_by_label("Period").select_option("month")
    page.get_by_role("button", name="Set", exact=True).click()
    said(page)
    expect(page.locator("dl.figures")).to_contain_text("3 at once")
    expect(page.locator("dl.figures")).to_contain_text("0 of 7.5 a month")
    page.get_by_role("button", name="Lift all").click()
    confirm(page, "Lift all")
    expect(page.locator("dl.figures")).not_to_contain_text("at once")
    assert page.evaluate("window.hit") is None

    with Person(owner.server) as eve:
        eve.send("/console/sign-in", email="eve@example.org", password=PASSWORD)
        assert eve.is_in
        owner.go("/people")
        row.get_by_role("button", name="Suspend").click()
        confirm(page, "Suspend")
        expect(row.get_by_text("suspended")).to_be_visible()
        assert not eve.is_in
    row.get_by_role("button", name="Resume").click()
    expect(row.get_by_text("active", exact=True)).to_be_visible()


def test_a_role_is_given_after_the_password_once_more(stranger: Visitor) -> None:
    server = stranger.server
    account = server.manage.post("/v1/accounts", json={"name": "deputy"}).json()["id"]
    with Person(server) as person:
        person.become_owner()
        link = person.link()
    stranger.follow(link)  # who came by a link has not given the password
    stranger.page.wait_for_url("**/console/")
    page = stranger.go(f"/people/{account}")
    page.get_by_role("button", name="Make it an operator").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("manage the whole server")
    dialog.get_by_role("button", name="Make it an operator").click()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Go on").click()
    expect(page.locator(".lead")).to_contain_text("operator")
    stranger.complaints.clear()  # the refusal before the password
    page.get_by_role("button", name="Make it an owner").click()
    confirm(page, "Make it an owner")
    expect(page.locator(".lead")).to_contain_text("owner")


def test_a_price_is_set_and_one_takes_its_place(owner: Visitor) -> None:
    page = owner.go("/prices")
    for amount in ("3", "0"):
        page.get_by_label("Task").select_option("embed")
        page.get_by_label("Prompt", exact=True).fill(amount)
        page.get_by_role("button", name="Set the price").click()
        expect(page.locator(".toast")).to_contain_text("The price is set.")
        owner.go("/prices")
    states = page.get_by_role("region", name="Prices").locator("tr", has_text="embed")
    expect(states.nth(0)).to_contain_text("now")
    expect(states.nth(1)).to_contain_text("past")


def test_a_price_for_time_without_a_most_is_refused_with_the_remedy(owner: Visitor) -> None:
    page = owner.go("/prices")
    page.get_by_label("CPU second").fill("1")
    page.get_by_role("button", name="Set the price").click()
    expect(page.locator(".toast.bad")).to_contain_text("most_seconds")
    owner.complaints.clear()  # the refusal


def test_changes_of_people_and_prices_ask_for_the_password(stranger: Visitor) -> None:
    with Person(stranger.server) as person:
        person.become_owner()
        link = person.link()
    stranger.follow(link)
    stranger.page.wait_for_url("**/console/")
    page = stranger.go("/people")
    page.get_by_role("button", name="Invite").click()
    page.locator("dialog").get_by_label("Password").fill(PASSWORD)
    page.locator("dialog").get_by_role("button", name="Go on").click()
    expect(page.locator("dialog code")).to_contain_text("inv_")
    stranger.complaints.clear()  # the refusal before the password


def test_what_an_account_has_is_not_seen_by_others(owner: Visitor) -> None:
    make_classifier(owner, "mine")
    with Person(owner.server) as other:
        account = {"email": "zoe@example.org", "password": PASSWORD}
        other.send("/console/register", **account)
        other.send("/console/sign-in", **account)
        assert "mine@1" not in other.http.get("/console/classifiers").text
        missing = other.http.get("/console/classifiers/mine@1")
        assert missing.status_code == httpx.codes.NOT_FOUND
        refused = other.call("POST", "/v1/pulls", {"model": "org/model"})
        assert refused.json()["error"]["code"] == "not_allowed"
