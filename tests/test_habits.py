"""What runs before a commit is what CI runs."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from support.sources import ROOT

CONFIG = ROOT / ".pre-commit-config.yaml"


@pytest.fixture(scope="module")
def hooks() -> dict[str, dict[str, Any]]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed (pip install 'llmaas[dev]')")
    (repository,) = yaml.safe_load(CONFIG.read_text("utf-8"))["repos"]
    assert repository["repo"] == "local"
    return {hook["id"]: hook for hook in repository["hooks"]}


def test_pre_commit_reads_its_file() -> None:
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", str(CONFIG)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_hooks_are_the_checks_of_scripts_test(hooks: dict[str, dict[str, Any]]) -> None:
    script = (ROOT / "scripts" / "test").read_text("utf-8")
    checks = dict(re.findall(r'^check "([^"]+)" "\$python" -m (.+)$', script, re.MULTILINE))
    for name in ("ruff check", "ruff format", "mypy"):
        (hook,) = (hook for hook in hooks.values() if hook["name"] == name)
        words = hook["entry"].removeprefix(".venv/bin/python -m ").split()
        ours = [word for word in words if word != "--force-exclude"]
        assert checks[name].split()[: len(ours)] == ours


def test_a_hook_that_writes_nothing_checks_the_generated_pages(
    hooks: dict[str, dict[str, Any]],
) -> None:
    words = hooks["generated-pages"]["entry"].split()
    assert (ROOT / words[1]).is_file()
    assert words[2:] == ["--check"]


def test_nothing_is_left_of_a_merge() -> None:
    """Style sheets and pages are read by no linter that would see it."""
    marks = ("<" * 7 + " ", ">" * 7 + " ")
    files = [file for folder in ("src", "docs") for file in (ROOT / folder).rglob("*")]
    texts = [file for file in files if file.suffix in {".css", ".html", ".js", ".md", ".json"}]
    assert len(texts) > 50
    left = [
        file.name for file in texts for line in file.read_text("utf-8").splitlines()
        if line.startswith(marks)
    ]  # fmt: skip
    assert left == []
