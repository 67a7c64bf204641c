"""How a command of the server ends when it cannot go on."""

from __future__ import annotations

from typing import NoReturn

import typer

FAILED = 1


def fail(message: str, hint: str | None = None) -> NoReturn:
    """One line on stderr that says what is wrong and what to do, and exit code 1."""
    typer.echo(f"error: {message}" + (f" ({hint})" if hint else ""), err=True)
    raise typer.Exit(FAILED)
