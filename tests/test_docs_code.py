"""The code in the README and the pages runs, and the commands in them exist."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from llmaas_client.cli.group import app
from support.pages import Page, read_pages
from support.serving import Serving, serving

PAGES = read_pages()
PYTHON_PAGES = [page for page in PAGES if page.code("python")]
ROOT_COMMAND = typer.main.get_command(app)
CURL_PAGES = [page for page in PAGES if any("curl" in block.text for block in page.code("sh"))]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, folder / "cache", "--backend", "fake") as server:
        yield server


def run(server: Serving, command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        # Offline, the client of Hugging Face would not even speak to this server.
        env=server.environment | {"LLMAAS_API_KEY": server.key, "HF_HUB_OFFLINE": "0"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=lambda page: page.name)
def test_python_blocks_run(page: Page, server: Serving, tmp_path: Path) -> None:
    code = "\n".join(block.text for block in page.code("python"))
    assert run(server, [sys.executable, "-W", "ignore::ResourceWarning", "-c", code], tmp_path)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("page", CURL_PAGES, ids=lambda page: page.name)
def test_curl_blocks_run(page: Page, server: Serving, tmp_path: Path) -> None:
    for block in page.code("sh"):
        if "curl" in block.text:
            output = run(server, ["sh", "-euc", block.text], tmp_path)
            assert output.startswith("{")
            assert not output.startswith('{"error"')


def test_commands_of_accounts_run(server: Serving, tmp_path: Path) -> None:
    page = next(page for page in PAGES if page.name == "docs/how-to/accounts.md")
    here = f'PATH="{Path(sys.executable).parent}:$PATH"'
    script = "\n".join([here, *(block.text for block in page.code("sh"))])
    output = run(server, ["sh", "-euc", script], tmp_path)
    assert "reports" in output
    assert f"set -gx LLMAAS_BASE_URL '{server.base_url}'" in output


def commands_in(page: Page) -> list[list[str]]:
    """The words of each `llmaas` command in the page's shell blocks, pipes taken apart."""
    texts = [block.text.replace("\\\n", " ") for block in page.code("sh")]
    lines = [line for text in texts for line in text.splitlines()]
    words = [shlex.split(part, comments=True) for line in lines for part in line.split("|")]
    return [command for command in words if command[:1] == ["llmaas"]]


def explain(command: list[str]) -> str | None:
    """What is wrong with a command, None where it could be run."""
    here = ROOT_COMMAND
    words = command[1:]
    while isinstance(here, TyperGroup) and words and not words[0].startswith("-"):
        found = here.get_command(typer.Context(here), words[0])
        if found is None:
            return f"there is no command {words[0]}"
        here, words = found, words[1:]
    known = {name for one in here.params for name in one.opts} | {"--help"}
    unknown = [word for word in words if word.startswith("--") and word not in known]
    return f"there is no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_pages_exist(page: Page) -> None:
    wrong = {shlex.join(command): why for command in commands_in(page) if (why := explain(command))}
    assert not wrong


def test_wrong_commands_are_seen() -> None:
    assert explain(["llmaas", "no-such-command"])
    assert explain(["llmaas", "chat", "--no-such-option"])


def test_every_command_is_described() -> None:
    reference = next(page for page in PAGES if page.name == "docs/reference/cli.md")
    assert isinstance(ROOT_COMMAND, TyperGroup)
    names = ROOT_COMMAND.list_commands(typer.Context(ROOT_COMMAND))
    assert {"classify", "summarize", "chat", "embed", "serve", "models"} <= set(names)
    assert {f"llmaas-{name}" for name in names} <= reference.anchors
