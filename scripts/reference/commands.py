"""docs/reference/cli.md, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator

import click
import typer

from llmaas_client.cli import app as command_app

from .markdown import table


def lines() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "The commands `serve`, `models`, `doctor` and `config` come with `llmaas[server]`."
    yield ""
    yield from command_section("llmaas", typer.main.get_command(command_app))


def command_section(path: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    yield f"## {path}"
    yield ""
    yield from (command.help or "").strip().splitlines()
    yield ""
    yield "```text"
    yield " ".join([path, *command.collect_usage_pieces(context)])
    yield "```"
    yield ""
    options = [row for one in command.params if (row := option_row(one, context))]
    if options:
        yield from table(["option", "meaning"], options)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from command_section(f"{path} {name}", child)


def option_row(parameter: click.Parameter, context: click.Context) -> tuple[str, str] | None:
    record = parameter.get_help_record(context)
    return (f"`{record[0]}`", record[1]) if record else None
