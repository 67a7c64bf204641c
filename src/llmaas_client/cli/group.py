"""The root command. What it lists is found by name and loaded only when it is asked for, so that
`llmaas --help` is quick and works whatever is installed.

Commands of other packages join by the entry point group `llmaas.commands`: name -> typer app or
function. Their help in the list is the first line of their module's docstring.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from . import __doc__ as DOC
from .failures import INTERRUPTED, explain

GROUP = "llmaas.commands"
OWN = {
    name: EntryPoint(name, f"llmaas_client.cli.{name}:{name}", GROUP)
    for name in (
        "classify",
        "summarize",
        "chat",
        "embed",
        "map",
        "classifiers",
        "accounts",
        "applications",
        "keys",
        "usage",
        "prices",
        "env",
        "console",
        "evaluate",
        "bench",
        "version",
    )
}


@cache
def commands() -> dict[str, EntryPoint]:
    """Every command by name: this package's first, then what is installed."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    return OWN | {name: found[name] for name in sorted(found) if name not in OWN}


class LazyGroup(TyperGroup):
    """Loads a command when it is used, and not to list it."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(commands())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = commands().get(cmd_name)
        return None if entry is None else _load(entry)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(entry)) for name, entry in commands().items()])


def _load(entry: EntryPoint) -> Any:
    loaded = entry.load()
    if isinstance(loaded, typer.Typer):
        command: Any = typer.main.get_group(loaded)
    else:
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command()(loaded)
        command = typer.main.get_command(alone)
    command.name = entry.name
    return command


def summary(entry: EntryPoint) -> str:
    """What a command is for, read from its source and without importing it."""
    try:
        spec = find_spec(entry.module)
    except ModuleNotFoundError:
        return ""
    if spec is None or spec.origin is None:
        return ""
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text("utf-8"))) or ""
    line = text.partition("\n")[0].removeprefix(f"`llmaas {entry.name}`:").strip()
    return line[:1].upper() + line[1:]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("llmaas"))
        raise typer.Exit


app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\n" + inspect.cleandoc((DOC or "").partition("\n")[2]).replace("\n\n", "\n\n\b\n"),
)


@app.callback()
def root(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Language models as a service on your own machine: classify, summarize, chat."""


def run(words: Sequence[str]) -> int:
    """Run a command line. Whatever goes wrong is one line on standard error."""
    try:
        code = typer.main.get_command(app).main(
            list(words), prog_name="llmaas", standalone_mode=False
        )
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        return explain(error, words)
    return code if isinstance(code, int) else 0
