"""The pages for the first hour, on the models that come along: what they show is what comes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmaas_server.models.store import Store
from support.pages import DOCS, Page
from support.serving import Serving, serving

pytestmark = pytest.mark.real_models


@pytest.fixture(scope="module")
def server(embedded_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("server"), embedded_store.cache) as running:
        yield running


def printed(server: Serving, name: str, folder: Path) -> list[str]:
    """What the Python of a page prints, its shell commands for prices run before."""
    page = Page(DOCS / name, (DOCS / name).read_text("utf-8"))
    llmaas = Path(sys.executable).with_name("llmaas")
    for block in page.code("sh"):
        if block.text.startswith("llmaas prices"):
            words = block.text.split()[1:]
            subprocess.run([llmaas, *words], env=server.environment, check=True, timeout=60)
    code = "\n".join(block.text for block in page.code("python"))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=folder,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_tutorial(server: Serving, tmp_path: Path) -> None:
    lines = printed(server, "tutorial.md", tmp_path)
    text = "\n".join(lines)
    assert lines[0].startswith("delivery ")
    assert any(line.startswith("billing {") for line in lines), "the classifier of one's own"
    assert "The town library opens again on Monday after two years of repairs. ['0-66']" in lines
    assert "order_status {'number': 4471} -> left our warehouse on Monday" in lines
    assert "2 calls, " in text
    assert "cost None" not in text
    assert {"chat", "classify", "summarize"} <= {line.split()[0] for line in lines if line}


@pytest.mark.parametrize("name", ["quickstart.md", "zh/quickstart.md"])
def test_the_quickstart(name: str, server: Serving, tmp_path: Path) -> None:
    lines = printed(server, name, tmp_path)
    assert lines[0].startswith("complaint ")
    assert lines[1].startswith("The town library opens again on Monday")
