"""Rows of files, as evaluations take them. Each can be read again: it is read anew."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import TypeVar

from llmaas_client.errors import ConfigurationError
from llmaas_client.rows import Table

from .cases import Case
from .classification import Labelled
from .summarization import Referenced

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """Texts and labels of a CSV or JSONL file."""

    table: Table
    text: str
    label: str
    rename: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the file calls a label -> what the model calls it."""

    def __iter__(self) -> Iterator[Labelled]:
        for row in self.table:
            label = row.label(self.label)
            yield Labelled(row.text(self.text), self.rename.get(label, label), row.where)


@dataclass(frozen=True, slots=True)
class ReferencedFile:
    """Texts and their references of a CSV or JSONL file."""

    table: Table
    text: str
    references: Sequence[str]
    focus: str | None = None

    def __iter__(self) -> Iterator[Referenced]:
        for row in self.table:
            found = [one for column in self.references for one in row.texts(column)]
            if not found:
                raise ConfigurationError(f"{row.where} has no reference")
            focus = None if self.focus is None else row.text(self.focus)
            yield Referenced(row.text(self.text), found, row.where, focus)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Texts of a CSV or JSONL file, with labels, with several versions of each, or alone."""

    table: Table
    text: str
    label: str | None = None
    version_of: str | None = None
    identity: str | None = None

    def __iter__(self) -> Iterator[Case]:
        for row in self.table:
            yield Case(
                row.text(self.text),
                None if self.label is None else row.label(self.label),
                row.where,
                None if self.version_of is None else row.label(self.version_of),
                None if self.identity is None else row.label(self.identity),
            )


def labelled(
    file: str | PathLike[str],
    text: str = "text",
    label: str = "label",
    rename: Mapping[str, str] | None = None,
) -> LabelledFile:
    """Texts and labels of a CSV file with a header, or of JSON lines.

    Args:
        text, label: The names of the columns.
        rename: What the file calls a label -> what the model calls it.
    """
    return LabelledFile(Table.of(file, text, label), text, label, rename or {})


def referenced(
    file: str | PathLike[str],
    text: str = "text",
    references: Sequence[str] = ("reference",),
    focus: str | None = None,
) -> ReferencedFile:
    """Texts and references; a column of JSON lines may have a list of them. The column `focus` has
    what each summary is to be about."""
    columns = (text, *references) if focus is None else (text, *references, focus)
    return ReferencedFile(Table.of(file, *columns), text, references, focus)


def cases(
    file: str | PathLike[str],
    text: str = "text",
    label: str | None = None,
    version_of: str | None = None,
    identity: str | None = None,
) -> CaseFile:
    """Texts for `fairness`; `version_of` and `identity` where the file has several versions of a
    text, the same name in `version_of` for all of one."""
    columns = [one for one in (text, label, version_of, identity) if one is not None]
    return CaseFile(Table.of(file, *columns), text, label, version_of, identity)


def sample(rows: Iterable[A], limit: int | None, seed: int = 0) -> list[A]:
    """So many rows at random, in their order; all where they are no more. Reads them one by one."""
    if limit is None:
        return list(rows)
    chance = random.Random(seed)
    kept: list[tuple[int, A]] = []
    for number, row in enumerate(rows):
        if len(kept) < limit:
            kept.append((number, row))
        elif (place := chance.randrange(number + 1)) < limit:
            kept[place] = (number, row)
    return [row for _, row in sorted(kept, key=lambda one: one[0])]
