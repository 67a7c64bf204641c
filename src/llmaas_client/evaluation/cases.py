"""Rows of a fairness report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from .classification import Labelled


@dataclass(frozen=True, slots=True)
class Case:
    """A text; its label where it has one; and where the file itself has several versions of a
    text, which of them this is."""

    text: str
    label: str | None = None
    where: str = ""
    version_of: str | None = None
    """The same for all versions of one text."""
    identity: str | None = None
    """Whom this version speaks of. That of the file's first row is what others are held against."""


Cases: TypeAlias = Iterable[Case | Labelled | tuple[str, str] | str]


def case_of(row: Case | Labelled | tuple[str, str] | str, number: int) -> Case:
    where = f"row {number}"
    match row:
        case Case():
            return row
        case Labelled(text, label, place):
            return Case(text, label, place)
        case str():
            return Case(row, where=where)
        case _:
            return Case(row[0], row[1], where)
