"""Tables as commands print them: for people on a terminal, plain for everything else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import typer

from llmaas_client.display import clean


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal, lines with tabs elsewhere."""
    if not sys.stdout.isatty():
        for row in (header, *rows):
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*header, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_fields(fields: Mapping[str, str]) -> None:
    """What is known of one thing."""
    print_table(("field", "value"), list(fields.items()))


def words(names: Sequence[str] | None) -> str:
    """A list of names; `all` for those that bound nothing."""
    if names is None or "*" in names:
        return "all"
    return ", ".join(clean(name) for name in names) or "nothing"


def moment(at: datetime | None) -> str:
    """To the minute, in UTC."""
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M}Z"
