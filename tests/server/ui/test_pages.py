"""Every page: its headers, who sees it, and what there is instead where something is wrong."""

from __future__ import annotations

import re

import pytest

from llmaas_server.gateway.actions import OPERATOR
from llmaas_server.ui.page import Page, find_pages
from llmaas_server.ui.rendering import CONTENT_SECURITY_POLICY, HEADERS
from support.console import PASSWORD, Person

PAGES = [page for page in find_pages() if "{" not in page.path]
BEFORE = ["/sign-in", "/register", "/enter", "/enter?token=x"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_a_page_is_shown_with_its_headers(owner: Person, page: Page) -> None:
    shown = owner.http.get(f"/console{page.path}")
    assert shown.is_success
    assert {name: shown.headers[name] for name in HEADERS} == HEADERS
    assert shown.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_a_page_needs_a_session(person: Person, page: Page) -> None:
    assert (
        person.http.get(f"/console{page.path}").headers["location"].startswith("/console/sign-in")
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_nothing_in_a_page_runs_or_comes_from_elsewhere(owner: Person, page: Page) -> None:
    text = owner.http.get(f"/console{page.path}").text
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", text)
    for address in re.findall(r'(?:src|href)="([^"]*)"', text):
        assert address.startswith(("/", "#", "?")), address
        if "/static/" in address:
            assert owner.http.get(address).is_success


@pytest.mark.parametrize("path", BEFORE)
def test_pages_before_a_session_have_the_same_headers(person: Person, path: str) -> None:
    shown = person.http.get(f"/console{path}")
    assert shown.is_success
    assert shown.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_others_neither_see_nor_open_pages_of_the_operator(person: Person) -> None:
    ada = {"email": "ada@example.org", "password": PASSWORD}
    person.send("/console/register", **ada)
    person.send("/console/sign-in", **ada)
    home = person.http.get("/console/").text
    for page in PAGES:
        if page.action in OPERATOR:
            assert f'href="/console{page.path}"' not in home
            refused = person.http.get(f"/console{page.path}")
            assert refused.is_client_error
            assert "operator" in refused.text


def test_no_such_page(owner: Person) -> None:
    missing = owner.http.get("/console/nowhere", headers={"accept": "text/html"})
    assert missing.is_client_error
    assert "there is no such page" in missing.text
    assert "text/html" in missing.headers["content-type"]
    told = owner.http.get("/console/nowhere", headers={"accept": "application/json"})
    assert told.json()["error"]["code"] == "not_found"


def test_files_are_kept_by_their_content(owner: Person) -> None:
    found = re.search(r'href="([^"]*llmaas\.css)"', owner.http.get("/console/").text)
    assert found is not None
    style = owner.http.get(found[1])
    assert style.headers["content-type"].startswith("text/css")
    assert "immutable" in style.headers["cache-control"]
    assert owner.http.get(re.sub(r"static/\w+/", "static/other/", found[1])).is_client_error
    assert owner.http.get("/console/static/../../app.py").is_client_error


def test_the_root_leads_to_the_console(person: Person) -> None:
    assert person.http.get("/").headers["location"] == "/console/"
