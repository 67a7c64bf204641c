"""A browser at the console. Tests skip where there is none; LLMAAS_CHROMIUM names one elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.console import served
from support.front import Front

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from support.browsing import Visitor


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module: while its driver is there, no asyncio test can run in this thread."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = os.environ.get("LLMAAS_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium: Debian's package has one")
    with playwright.sync_playwright() as driver:
        # Root has no sandbox to go into; what is opened is our own server alone.
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with served(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def stranger(browser: Browser, server: Front) -> Iterator[Visitor]:
    """Somebody who is not signed in."""
    from support.browsing import visiting  # skips where there is no playwright

    with visiting(browser, server) as visitor:
        yield visitor


@pytest.fixture
def owner(stranger: Visitor) -> Visitor:
    """The one who runs the server."""
    stranger.become_owner()
    return stranger


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: LLMAAS_SCREENSHOTS, to look at them afterwards."""
    folder = os.environ.get("LLMAAS_SCREENSHOTS")
    if folder is None:
        return tmp_path_factory.mktemp("screenshots")
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path
