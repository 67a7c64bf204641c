"""The documentation says what the code does: it is complete, its links lead somewhere, it runs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest

import llmaas_client
from llmaas_client.wire import TASKS
from llmaas_client.wire.errors import ERRORS
from llmaas_server.settings import Settings
from support.pages import DOCS, Page, read_pages
from support.sources import ROOT

PAGES = read_pages()
IDS = [page.name for page in PAGES]


def page(name: str) -> Page:
    return next(page for page in PAGES if page.name == name)


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "generate-docs", "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nrun scripts/generate-docs"


def test_every_error_is_described() -> None:
    rows = {line.split("|")[1].strip() for line in table("docs/reference/errors.md")}
    assert {f"`{code}`" for code in ERRORS} <= rows


def test_every_setting_is_described() -> None:
    headings = page("docs/reference/settings.md").anchors
    assert set(Settings.model_fields) <= headings


def test_every_public_name_is_described() -> None:
    reference = page("docs/reference/python.md")
    exceptions = {line.split("`")[1] for line in table(reference.name)[2:]}
    told = {name for name in llmaas_client.__all__ if name.lower() in reference.anchors}
    assert set(llmaas_client.__all__) - told - exceptions == {"__version__"}


def test_pages_for_programs_name_every_page() -> None:
    told = set(re.findall(r"\]\(([\w/.-]+\.md)\)", (DOCS / "llms.txt").read_text("utf-8")))
    assert told == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}


def table(name: str) -> list[str]:
    return [line for line in page(name).text.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("task", TASKS)
def test_every_field_of_a_task_is_described(task: str) -> None:
    spec = TASKS[task]
    told = set(re.findall(r"`(\w+)`", "\n".join(table(f"docs/tasks/{task}.md"))))
    common = {"id", "model", "model_choice", "usage", "timing", "cost", "warnings"}
    assert set(spec.request.model_fields) <= told
    assert set(spec.result.model_fields) - common <= told


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page: Page) -> None:
    others = {other.path: other for other in PAGES}
    broken = []
    for link in page.links:
        if link.startswith(("https://", "http://")):
            continue
        target, _, anchor = link.partition("#")
        path = (page.path.parent / target).resolve() if target else page.path
        if not path.exists() or (anchor and anchor not in others[path].anchors):
            broken.append(link)
    assert not broken


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text("utf-8")))
    assert listed == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_settings_files_in_the_pages_are_valid(page: Page) -> None:
    for block in page.code("toml"):
        Settings(**tomllib.loads(block.text))


def test_there_are_settings_files_in_the_pages() -> None:
    assert sum(len(page.code("toml")) for page in PAGES) >= 2
