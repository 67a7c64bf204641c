"""How a command of the server ends when it cannot go on."""

from __future__ import annotations

from typing import NoReturn

import typer

FAILED = 1
WRONG_USAGE = 2


def fail(message: str, hint: str | None = None, *, code: int = FAILED) -> NoReturn:
    """One line on stderr that says what is wrong and what to do, and an exit code."""
    remedy = f". {hint[0].upper()}{hint[1:].removesuffix('.')}." if hint else ""
    typer.echo(f"error: {message.removesuffix('.')}{remedy}", err=True)
    raise typer.Exit(code)


def wrong_usage(message: str, hint: str | None = None) -> NoReturn:
    """`fail` for what was typed or set, which no second try mends."""
    fail(message, hint, code=WRONG_USAGE)
