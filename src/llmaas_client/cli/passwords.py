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
    return _lines(1)[0]


def ask_change() -> tuple[str, str]:
    """The old password and the new one; elsewhere than on a terminal, two lines."""
    if sys.stdin.isatty():
        old: str = typer.prompt("Password now", hide_input=True)
        new: str = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
        return old, new
    old, new = _lines(2)
    return old, new


def _lines(count: int) -> list[str]:
    lines = [line.rstrip("\r") for line in from_stdin(asked=True).split("\n")[:count]]
    if len(lines) < count or not all(lines):
        raise WrongUsage("there is no password: pipe it in, or type it on a terminal")
    return lines
