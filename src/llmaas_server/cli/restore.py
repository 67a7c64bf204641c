"""`llmaas restore`: a copy in the place of the database, once it has shown that it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .opening import ConfigOption, HomeOption, ending_well, heads_of, settings_of, source_of, url_of


def restore(
    file: Annotated[Path, typer.Argument(help="What `llmaas backup` wrote.")],
    config: ConfigOption = None,
    home: HomeOption = None,
) -> None:
    """Put a copy in the place of the database, after it has shown that it is whole.

    The server must not run. Checked are the file itself, the key that opens it, and its audit
    trail against the signed heads that are kept outside; until all of that fits nothing is
    replaced, and what is replaced is kept. PostgreSQL has a tool of its own: this says what to
    type.
    """
    from llmaas_server.gateway.clock import wall
    from llmaas_server.gateway.restoring import restore as restored

    settings = settings_of(config, home)
    with ending_well():
        done = restored(url_of(settings), file, source_of(settings), heads_of(settings), wall)
    typer.echo(f"The database is that of {file}, with {done.rows} rows of the audit trail.")
    if done.lost:
        typer.echo(f"{done.lost} later rows of the audit trail were given up.")
    for kept in (done.database, done.heads):
        if kept is not None:
            typer.echo(f"What was there before lies in {kept}.")
