"""Tables as commands print them: for people on a terminal, plain for everything else."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from llmaas_client.display import clean

if TYPE_CHECKING:
    from pydantic import BaseModel

ModelT = TypeVar("ModelT", bound="BaseModel")


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


def print_list(
    found: Sequence[ModelT], as_json: bool, columns: Mapping[str, Callable[[ModelT], str]]
) -> None:
    """Things of one kind: header -> what each of them has there."""
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    print_table(list(columns), [[cell(one) for cell in columns.values()] for one in found])


def print_one(one: BaseModel, as_json: bool, fields: Mapping[str, str]) -> None:
    """What is known of one thing."""
    if as_json:
        print_json(one.model_dump(mode="json"))
        return
    print_fields(fields)


def print_told(one: BaseModel, as_json: bool, said: str, aside: str | None = None) -> None:
    """What has happened, or what alone is wanted; `aside` goes to standard error."""
    if as_json:
        print_json(one.model_dump(mode="json"))
        return
    typer.echo(said)
    if aside is not None:
        typer.echo(aside, err=True)


def print_fields(fields: Mapping[str, str]) -> None:
    print_table(("field", "value"), list(fields.items()))


def words(names: Sequence[str] | None) -> str:
    """A list of names; `all` for those that bound nothing."""
    if names is None or "*" in names:
        return "all"
    return ", ".join(clean(name) for name in names) or "nothing"


def moment(at: datetime | None) -> str:
    """To the minute, in UTC."""
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M}Z"
