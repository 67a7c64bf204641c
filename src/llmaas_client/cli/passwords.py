"""Passwords: never an argument, which every process of the machine can read."""

from __future__ import annotations

import sys

import typer

from .failures import WrongUsage
from .inputs import from_stdin


def ask(*, twice: bool) -> str:
    """Ask on the terminal without showing it; elsewhere the first line of standard input."""
    if sys.stdin.isatty():
        password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=twice)
        return password
    password = from_stdin(asked=True).partition("\n")[0].rstrip("\r")
    if not password:
        raise WrongUsage("there is no password: pipe it in, or type it on a terminal")
    return password
