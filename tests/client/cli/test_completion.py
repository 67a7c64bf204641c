"""What a shell is told when somebody presses Tab."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

RUN = "import sys; from llmaas_client.cli import main; sys.argv[0] = 'llmaas'; sys.exit(main())"


def completed(shell: str, typed: str) -> str:
    """What the command gives to a shell for the words so far."""
    words = typed.split(" ")
    asked = {
        "_LLMAAS_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": typed,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    run = subprocess.run(
        [sys.executable, "-c", RUN],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.stderr == ""
    return run.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands(shell: str) -> None:
    shown = completed(shell, "llmaas cl")
    assert "classify" in shown
    assert "classifiers" in shown
    assert "summarize" not in shown


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("llmaas classify --lab", ["--labels", "--label"]),
        ("llmaas map in.csv --task su", ["summarize"]),
        ("llmaas keys cr", ["create"]),
    ],
)
def test_options_choices_and_commands_below(typed: str, expected: list[str]) -> None:
    assert completed("bash", typed).split() == expected
