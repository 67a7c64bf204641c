"""What a shell is told when somebody presses Tab."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llmaas_server.models.manifest import FILE_NAME
from support.upping import RUN

HERE = ("all-minilm-l6-v2", "org/mine", "smollm2-135m-instruct-q4_1")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With three models, a damaged one, and one on its way."""
    cache = tmp_path / "cache"
    for name in (*HERE, "damaged", ".incoming"):
        folder = cache / "models" / name.replace("/", "--")
        folder.mkdir(parents=True)
        content = "{" if name == "damaged" else json.dumps({"name": name})
        (folder / FILE_NAME).write_text(content)
    monkeypatch.setenv("LLMAAS_CACHE", str(cache))
    return cache


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


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    "typed", ["chat --model ", "map a.csv --model ", "models rm ", "keys create ci --model "]
)
def test_names_of_models_on_this_machine(shell: str, typed: str, cache: Path) -> None:
    shown = completed(shell, f"llmaas {typed}")
    assert all(name in shown for name in HERE)
    assert "damaged" not in shown
    assert ".incoming" not in shown
    shown = completed(shell, f"llmaas {typed}smol")
    assert "smollm2-135m-instruct-q4_1" in shown
    assert "org/mine" not in shown


def test_names_that_can_be_pulled(cache: Path) -> None:
    assert completed("bash", "llmaas models pull org/").split() == ["org/mine"]
    assert "Qwen/Qwen3-0.6B" in completed("bash", "llmaas models pull Qwen/").split()


def test_without_a_cache_there_are_no_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMAAS_CACHE", str(tmp_path / "none"))
    assert completed("bash", "llmaas chat --model ").strip() == ""


def test_no_server_and_no_torch_are_loaded_to_complete(cache: Path) -> None:
    code = (
        "import sys, json, llmaas_client.cli.chat; from llmaas_client.cli.completing import "
        "model_names; model_names(); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert not [name for name in loaded if name.startswith(("llmaas_server", "torch", "httpx"))]


def in_shell(home: Path, *command: str) -> str:
    """Run a shell that has no files but those in `home`, and an `llmaas` on its path."""
    program = home / "bin" / "llmaas"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-c", RUN])} "$@"\n')
    program.chmod(0o700)
    path = f"{program.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        env={**os.environ, "HOME": str(home), "PATH": path, "ZDOTDIR": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


PRESS_TAB = """
. "$HOME/.bashrc"
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); COMP_LINE="${{COMP_WORDS[*]}}"
set -- $(complete -p llmaas); while [ "$1" != -F ]; do shift; done; function=$2
"$function" llmaas "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_installed_in_bash_it_completes_when_tab_is_pressed(tmp_path: Path, cache: Path) -> None:
    home = tmp_path / "user"
    home.mkdir()
    said = in_shell(home, "bash", "--norc", "-c", "llmaas --install-completion; true")
    assert "bash completion installed" in said

    def tab(words: str) -> list[str]:
        script = PRESS_TAB.format(words=words)
        return in_shell(home, "bash", "--norc", "-c", script).split()

    assert tab("llmaas summ") == ["summarize"]
    assert tab("llmaas up --no-b") == ["--no-browser"]
    assert tab("llmaas models rm org") == ["org/mine"]
    assert tab('llmaas chat --model ""') == list(HERE)
