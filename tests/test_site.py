"""The pages as a site: the strict build, and what a browser does with it, without any network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Literal

import pytest

from support.pages import DOCS
from support.sources import ROOT

pytest.importorskip("zensical", reason="zensical is not installed (pip install 'llmaas[docs]')")

ZENSICAL = Path(sys.executable).with_name("zensical")
LOADED = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=["']?(?:https?:)?//[^>]*""")


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ZENSICAL, "build", "--strict"],
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: the builder writes beside what it reads."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    return folder


@pytest.fixture(scope="module")
def site(project: Path) -> Path:
    done = build(project)
    assert done.returncode == 0, done.stdout + done.stderr
    return project / "site"


def test_every_page_is_built(site: Path) -> None:
    pages = [path.relative_to(DOCS) for path in DOCS.rglob("*.md")]
    assert len(pages) > 30
    assert all((site / page.with_suffix(".html")).is_file() for page in pages)


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        outside = LOADED.findall(path.read_text("utf-8"))
        assert not [tag for tag in outside if 'rel="canonical"' not in tag], path


def test_the_pages_say_what_a_machine_should_read(site: Path) -> None:
    assert (site / "llms.txt").read_text("utf-8").startswith("# llmaas\n")


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[nowhere](nowhere.md)\n", "utf-8")
    (tmp_path / "mkdocs.yml").write_text("site_name: broken\nnav: [{Home: index.md}]\n", "utf-8")
    done = build(tmp_path)
    assert done.returncode != 0
    assert "page does not exist" in done.stdout + done.stderr


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder over HTTP on this machine."""
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@pytest.mark.parametrize(("wish", "scheme"), [("dark", "slate"), ("light", "default")])
def test_a_browser_needs_no_other_site(
    site: Path, wish: Literal["dark", "light"], scheme: str
) -> None:
    """The search finds, the colours are those of the reader's system."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = os.environ.get("LLMAAS_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium: Debian's package has one")
    asked: list[str] = []
    complaints: list[str] = []
    with served(site) as address, playwright.sync_playwright() as driver:
        # Root has no sandbox to go into; what is opened is our own pages alone.
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(color_scheme=wish)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}index.html", wait_until="networkidle")
        found = page.locator("body").get_attribute("data-md-color-scheme")
        page.keyboard.press("/")
        page.keyboard.type("idempotency")
        page.get_by_role("option", name="idempotency_seconds").wait_for()
        browser.close()
        assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert found == scheme
    assert complaints == []
