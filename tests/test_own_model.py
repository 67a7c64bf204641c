"""The page on models of one's own: its commands take a folder in, and the server serves it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llmaas_client import Client
from support.pages import DOCS, Page
from support.serving import LLMAAS, hermetic, serving

PAGE = Page(DOCS / "how-to" / "own-model.md", (DOCS / "how-to" / "own-model.md").read_text("utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small model in `my-model`, made in a process of its own, which has torch."""
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\nfrom support import tiny\ntiny.classifier(Path('my-model'))\n"
    )
    made = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return tmp_path


def test_the_commands_of_the_page(folder: Path) -> None:
    """`models import` and `show` as they stand; then `classify` on a server with the same cache."""
    lines = PAGE.code("sh")[0].text.splitlines()
    managing = [line for line in lines if line.startswith("llmaas models")]
    assert len(managing) == 2
    environment = hermetic() | {"LLMAAS_CACHE": str(folder / "cache")}
    environment |= {"PATH": f"{LLMAAS.parent}:{environment['PATH']}", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        ["sh", "-euc", "\n".join(managing)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with (
        serving(folder, folder / "cache") as server,
        Client(server.base_url, server.key) as client,
    ):
        result = client.classify("Works like a charm.", model="mood")
        assert result.model == "mood"
        assert result.method == "head"
        assert result.label in result.scores
