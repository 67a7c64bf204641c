"""Rows of CSV and JSONL files, one after the other: a file may be larger than memory.

A name that ends with .gz is unpacked on the way. Whatever is wrong is told with the row's number.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import IO, Any, cast

from .errors import ConfigurationError

_JSON_LINES = (".jsonl", ".ndjson")
_CSV = {".csv": ",;\t", ".tsv": "\t"}
_LONGEST_FIELD = 2**31 - 1  # of a CSV file; Python's own bound is 128 KB


@dataclass(frozen=True, slots=True)
class Row:
    """A row, and where it stands."""

    fields: Mapping[str, Any]
    where: str
    """`row 3 (line 4) of data.csv`."""

    def text(self, column: str) -> str:
        """A text with something in it. Raises ConfigurationError."""
        value = self.fields.get(column)
        if not isinstance(value, str):
            raise self._wrong(column, "no text", value)
        if not value.strip():
            raise ConfigurationError(f"{self.where}: {column!r} is empty")
        return value

    def label(self, column: str) -> str:
        """A name; whole numbers and truth values of JSON as they are written there."""
        value = self.fields.get(column)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(column, "no label", value)
        return value.strip()

    def texts(self, column: str) -> list[str]:
        """A text, or a list of them; what is empty is left out."""
        value: Any = self.fields.get(column)
        many: list[Any] = [value]
        if isinstance(value, list):
            many = value  # pyright: ignore[reportUnknownVariableType]
        if not many or not all(isinstance(one, str) for one in many):
            raise self._wrong(column, "no text", value)
        return [one for one in many if one.strip()]

    def _wrong(self, column: str, what: str, value: Any) -> ConfigurationError:
        if column not in self.fields:
            return ConfigurationError(f"{self.where} has no {column!r}")
        found = "is empty" if value is None or value == "" else f"is {_shown(value)}"
        return ConfigurationError(f"{self.where} has {what}: {column!r} {found}")


@dataclass(frozen=True, slots=True)
class Table:
    """A file of rows; iterating reads it anew each time.

    Args:
        path: CSV with a header, or JSON lines with an object each.
        columns: Those that every row must have.
        content: Instead of the file: what it has in it.
    """

    path: Path
    columns: Sequence[str]
    content: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, path: str | PathLike[str], *columns: str) -> Table:
        return cls(Path(path), columns)

    @property
    def name(self) -> str:
        return "standard input" if self.content is not None else self.path.name

    def __iter__(self) -> Iterator[Row]:
        """Raises ConfigurationError, with the number of the row."""
        try:
            # Surrogates stand for bytes that are not UTF-8, so that the line can be named.
            with io.TextIOWrapper(
                self._opened(), "utf-8-sig", "surrogateescape", newline=""
            ) as text:
                yield from self._rows(text)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise ConfigurationError(f"{self.name} is damaged: it cannot be unpacked") from None
        except OSError as error:
            raise ConfigurationError(f"cannot read {self.path}: {error.strerror}") from None

    def _opened(self) -> IO[bytes]:
        if self.content is not None:
            return io.BytesIO(self.content)
        if self.path.suffix == ".gz":
            return cast("IO[bytes]", gzip.open(self.path))
        return self.path.open("rb")

    def _rows(self, text: IO[str]) -> Iterator[Row]:
        lines = self._lines(text)
        first = next((line for line in lines if line.strip()), None)
        if first is None:
            raise ConfigurationError(f"{self.name} is empty")
        lines = chain([first], lines)
        kind = Path(self.path.stem).suffix if self.path.suffix == ".gz" else self.path.suffix
        if kind in _JSON_LINES or (kind not in _CSV and first.lstrip().startswith(("{", "["))):
            yield from self._objects(lines)
        else:
            yield from self._records(first, lines, _CSV.get(kind, _CSV[".csv"]))

    def _lines(self, text: IO[str]) -> Iterator[str]:
        for number, line in enumerate(text, start=1):
            if not line.isascii() and any("\ud800" <= one <= "\udfff" for one in line):
                raise ConfigurationError(
                    f"line {number} of {self.name} is not UTF-8 text",
                    hint="Convert the file first, for example with iconv -t UTF-8.",
                )
            yield line

    def _objects(self, lines: Iterator[str]) -> Iterator[Row]:
        count = 0
        for line in lines:
            if not line.strip():
                continue
            count += 1
            where = f"row {count} of {self.name}"
            try:
                found = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ConfigurationError(f"{where} is not JSON: {error}") from None
            if not isinstance(found, dict):
                raise ConfigurationError(
                    f"{where} is no object of JSON",
                    hint='JSON lines have one object a line: {"text": …}.',
                )
            fields = cast("dict[str, Any]", found)
            self._check(list(fields), where if count > 1 else self.name)
            yield Row(fields, where)

    def _records(self, first: str, lines: Iterator[str], delimiters: str) -> Iterator[Row]:
        csv.field_size_limit(_LONGEST_FIELD)
        delimiter = next((one for one in delimiters if self._fits(first, one)), delimiters[0])
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        header: list[str] | None = None
        count = 0
        try:
            for record in reader:
                if header is None:
                    header = [name.strip() for name in record]
                    self._check(header, self.name)
                    continue
                if not record:
                    continue
                count += 1
                where = f"row {count} (line {reader.line_num}) of {self.name}"
                if len(record) != len(header):
                    raise ConfigurationError(
                        f"{where} has {len(record)} fields, and the header has {len(header)}",
                        hint="Fields with commas or line breaks in them stand in quotes.",
                    )
                yield Row(dict(zip(header, record, strict=True)), where)
        except csv.Error as error:
            place = f"row {count + 1} (line {reader.line_num}) of {self.name}"
            raise ConfigurationError(f"{place} is not CSV: {error}") from None
        if not count:
            raise ConfigurationError(f"{self.name} has a header and no rows")

    def _fits(self, header: str, delimiter: str) -> bool:
        try:
            names = next(csv.reader([header], delimiter=delimiter))
        except csv.Error:
            return False
        return {name.strip() for name in names} >= set(self.columns)

    def _check(self, names: Sequence[str], where: str) -> None:
        for column in self.columns:
            if column not in names:
                there = ", ".join(repr(name) for name in names) or "none"
                raise ConfigurationError(
                    f"{where} has no column {column!r}", hint=f"Those there are: {there}."
                )
            if names.count(column) > 1:
                raise ConfigurationError(f"{where} has the column {column!r} twice")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:40] + "…"
