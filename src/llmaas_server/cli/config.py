"""`llmaas config`: the settings, and where each came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from .failure import wrong_usage

app = typer.Typer(help="Settings of the server.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def config() -> None:
    """Settings of the server."""


@app.command()
def show(
    config: Annotated[Path | None, typer.Option(help="The settings file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every setting with its value and where that came from."""
    from rich.console import Console
    from rich.table import Table

    from llmaas_server.settings import SettingsError, load_settings, origins

    try:
        settings = load_settings({"config": config})
    except SettingsError as error:
        wrong_usage(str(error))
    if as_json:
        rows = {
            row.name: {"value": _plain(row.value), "origin": row.origin}
            for row in origins(settings)
        }
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table("setting", "value", "origin", box=None, pad_edge=False, header_style="bold")
    for row in origins(settings):
        table.add_row(row.name, "-" if row.value is None else str(row.value), row.origin)
    Console().print(table, markup=False)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path | SecretStr) else value
