"""`llmaas backup`: a copy of the database, while the server works."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .opening import (
    ConfigOption,
    HomeOption,
    reading,
    settings_of,
    source_of,
)


def backup(
    file: Annotated[Path, typer.Argument(help="A new file.")],
    config: ConfigOption = None,
    home: HomeOption = None,
) -> None:
    """Write a copy of the database to a file, while the server works.

    The key-encryption key is not in it, and without that key the copy cannot be used: keep the
    two apart, and both. PostgreSQL has a tool of its own: this says what to type.
    """
    from llmaas_server.storage.snapshot import check

    settings = settings_of(config, home)
    with reading(settings) as reader:
        reader.backup(file)
        check(file)
    typer.echo(f"The database is in {file}.")
    typer.echo(f"Not in it is the key that opens it: keep a copy of {source_of(settings).name}.")
