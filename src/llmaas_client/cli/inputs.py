"""Texts from the command line, from files and from standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from llmaas_client.rows import Table

from .failures import WrongUsage


def from_words(text: str | None) -> str:
    """The text itself; standard input for `-`, and where there is none."""
    if text is not None and text != "-":
        return text
    return from_stdin(asked=text == "-")


def from_file(name: str | None) -> str:
    """The content of a file; standard input for `-`, and where there is none."""
    if name is None or name == "-":
        return from_stdin(asked=name == "-")
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise WrongUsage(f"cannot read {name}: {error.strerror}") from None
    return decode(data, name)


def from_stdin(*, asked: bool) -> str:
    """All of standard input; a terminal is read only where it was asked for."""
    if sys.stdin.isatty() and not asked:
        raise WrongUsage("there is no text: give it as an argument, or pipe it in (see --help)")
    return decode(sys.stdin.buffer.read(), "standard input")


def decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongUsage(
            f"{name} is not UTF-8 text (byte {error.start}): convert it first, for example with "
            "iconv -t UTF-8"
        ) from None


def table(name: str, *columns: str) -> Table:
    """The rows of a file; of standard input for `-`, kept, so that it can be read twice."""
    if name != "-":
        return Table.of(name, *columns)
    return Table(Path("-"), columns, sys.stdin.buffer.read())
