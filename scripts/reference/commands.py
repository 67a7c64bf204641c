"""docs/reference/cli.md, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from llmaas_client.cli.group import OWN, app, commands

from .markdown import table


def lines() -> Iterator[str]:
    yield "# Commands"
    yield ""
    names = [f"`{name}`" for name in commands() if name not in OWN]
    yield f"The commands {', '.join(names[:-1])} and {names[-1]} come with `llmaas[server]`."
    yield ""
    yield from section("llmaas", typer.main.get_command(app))


def section(path: str, command: Any) -> Iterator[str]:
    """A command and those below it. typer's own copy of click has no public types."""
    context = typer.Context(command, info_name=path)
    yield f"## {path}"
    yield ""
    for paragraph in paragraphs(command.help):
        is_example = "llmaas " in paragraph and not paragraph.endswith(".")
        yield from code("sh", paragraph) if is_example else [paragraph, ""]
    yield from code("text", " ".join([path, *command.collect_usage_pieces(context)]))
    records = [one.get_help_record(context) for one in command.params]
    rows = [(f"`{record[0]}`", record[1]) for record in records if record]
    if rows:
        yield from table(["parameter", "meaning"], rows)
    for paragraph in paragraphs(command.epilog):
        yield from code("text", paragraph) if "\n" in paragraph else [paragraph, ""]
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from section(f"{path} {name}", child)


def paragraphs(text: str | None) -> list[str]:
    """Without the marks that keep a terminal from filling lines."""
    return [part for part in (text or "").replace("\b\n", "").strip().split("\n\n") if part]


def code(language: str, text: str) -> list[str]:
    return [f"```{language}", *text.splitlines(), "```", ""]
