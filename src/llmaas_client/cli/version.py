"""`llmaas version`: the version of this package."""

from __future__ import annotations

from importlib.metadata import version as version_of

import typer


def version() -> None:
    """Show the version."""
    typer.echo(version_of("llmaas"))
