"""The root command: what it lists without loading it, what it says where something is missing."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest
import typer

from llmaas_client import cli
from llmaas_client.cli import group, main
from support import answers
from support.http_server import Exchange, serving

Capture = pytest.CaptureFixture[str]
RUN = "import sys; from llmaas_client.cli import main; sys.exit(main())"


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, EntryPoint]]:
    """Commands as other packages add them."""
    found: dict[str, EntryPoint] = {}
    group.commands.cache_clear()
    monkeypatch.setattr(group, "entry_points", lambda group: tuple(found.values()))
    yield found
    group.commands.cache_clear()


def module(monkeypatch: pytest.MonkeyPatch, name: str, **items: object) -> None:
    made = ModuleType(name)
    vars(made).update(items)
    monkeypatch.setitem(sys.modules, name, made)


def test_help_lists_every_command_and_exit_code(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for name in ("classify", "summarize", "chat", "embed", "serve", "models", "doctor", "config"):
        assert f"\n  {name} " in out
    for code in ("0 ", "1 ", "2 ", "3 ", "4 ", "130"):
        assert f"\n      {code}" in out
    assert main([]) == 0
    assert capsys.readouterr().out == out


@pytest.mark.parametrize("name", list(group.OWN))
def test_every_command_explains_itself(name: str, capsys: Capture) -> None:
    assert group.summary(group.OWN[name])
    assert main([name, "--help"]) == 0
    assert f"Usage: llmaas {name}" in capsys.readouterr().out


def test_help_loads_no_command() -> None:
    script = """
import sys
from llmaas_client.cli import main
main(["--help"])
heavy = {"torch", "transformers", "httpx", "pydantic", "rich", "llmaas_server.cli.serve"}
sys.exit(f"loaded: {heavy & set(sys.modules)}" if heavy & set(sys.modules) else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_function_joins(
    joined: dict[str, EntryPoint], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def hello(name: str) -> None:
        """Say hello."""
        typer.echo(f"hello {name}")

    module(monkeypatch, "other_package", hello=hello)
    joined["hello"] = EntryPoint("hello", "other_package:hello", group.GROUP)
    assert main(["hello", "you"]) == 0
    assert capsys.readouterr().out == "hello you\n"


def test_an_app_joins(
    joined: dict[str, EntryPoint], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    app = typer.Typer()

    @app.command("list")
    def show() -> None:
        """List."""
        typer.echo("listed")

    module(monkeypatch, "other_package", app=app)
    joined["things"] = EntryPoint("things", "other_package:app", group.GROUP)
    assert main(["things", "list"]) == 0
    assert capsys.readouterr().out == "listed\n"


def test_no_command_takes_the_place_of_one_of_ours(joined: dict[str, EntryPoint]) -> None:
    joined["chat"] = EntryPoint("chat", "other_package:chat", group.GROUP)
    assert group.commands()["chat"].module == "llmaas_client.cli.chat"


def test_says_what_to_install_for_the_server(
    joined: dict[str, EntryPoint], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, "llmaas_server.cli.serve", None)
    joined["serve"] = EntryPoint("serve", "llmaas_server.cli.serve:serve", group.GROUP)
    assert main(["serve"]) == 1
    error = capsys.readouterr().err
    assert error == "error: llmaas serve needs more: pip install 'llmaas[server]'\n"
    assert main(["--help"]) == 0


def test_a_command_that_misses_something_when_it_runs(
    joined: dict[str, EntryPoint], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def serve() -> None:
        import package_that_is_not_there  # type: ignore[import-not-found]  # noqa: F401

    module(monkeypatch, "other_package", serve=serve)
    joined["serve"] = EntryPoint("serve", "other_package:serve", group.GROUP)
    assert main(["serve"]) == 1
    assert "pip install 'llmaas[server]'" in capsys.readouterr().err


def test_the_docstring_is_the_list_of_exit_codes() -> None:
    assert cli.__doc__ is not None
    assert "3    the server cannot be reached" in cli.__doc__


def long_answer(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.event("start", answers.START)
    try:
        while not exchange.stopping.is_set():
            exchange.event("delta", {"text": "word " * 1000})
    except OSError:
        exchange.hang_up()


def test_a_reader_that_goes_away_is_no_error() -> None:
    with serving(long_answer) as server:
        command = [sys.executable, "-c", RUN, "chat", "Hi", "--base-url", server.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.read(10) == b"word word "
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(timeout=30) == 1


def answer_in_colour(exchange: Exchange) -> None:
    if exchange.path == "/v1/models":
        exchange.answer(answers.models())
        return
    exchange.start_stream()
    exchange.event("start", answers.START)
    exchange.event("delta", {"text": "\x1b[31mred"})
    exchange.event("done", answers.chat())
    exchange.end_stream()


def test_a_conversation_on_a_terminal(tmp_path: Path) -> None:
    """A real terminal: typed lines in, clean text out."""
    with serving(answer_in_colour) as server:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-c", RUN, "chat", "--base-url", server.url]
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            seen = read_until(ours, b"> ")
            assert b"Talking to tiny" in seen
            os.write(ours, b"Hi\n")
            seen = read_until(ours, b"red\r\n> ")
            assert b"\x1b[31m" not in seen
            os.write(ours, b"/exit\n")
            assert process.wait(timeout=30) == 0
        os.close(ours)


def read_until(terminal: int, mark: bytes) -> bytes:
    seen = b""
    while mark not in seen:
        seen += os.read(terminal, 4096)
    return seen
