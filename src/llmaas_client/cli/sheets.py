"""Files of rows in and out: CSV, JSON lines, and Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeAlias

from llmaas_client.rows import Table

from .failures import WrongUsage

Record: TypeAlias = dict[str, Any]
Writer: TypeAlias = Callable[[Path, Sequence[Record]], None]


@dataclass(frozen=True, slots=True)
class Row:
    """A text, and what of its row is kept."""

    text: str
    fields: Record


def read(path: Path, column: str, keep: Sequence[str] | None) -> list[Row]:
    """All rows; an empty text is one, and the server's refusal of it its result.

    Raises ConfigurationError or WrongUsage, with the number of the row that is wrong.
    """
    if path.suffix == ".parquet":
        return _read_parquet(path, column, keep)
    rows: list[Row] = []
    for row in Table.of(path, column, *(keep or ())):
        value = row.fields[column]
        text = value if isinstance(value, str) else row.text(column)
        names = list(row.fields) if keep is None else keep
        rows.append(Row(text, {name: row.fields[name] for name in names}))
    return rows


def _read_parquet(path: Path, column: str, keep: Sequence[str] | None) -> list[Row]:
    parquet = _parquet()
    try:
        names: list[str] = parquet.read_schema(path).names
        missing = next((name for name in (column, *(keep or ())) if name not in names), None)
        if missing is not None:
            there = ", ".join(repr(name) for name in names) or "none"
            raise WrongUsage(f"{path.name} has no column {missing!r}; those there are: {there}")
        wanted = names if keep is None else list(dict.fromkeys([column, *keep]))
        records: list[Record] = parquet.read_table(path, columns=wanted).to_pylist()
    except OSError as error:
        raise WrongUsage(f"cannot read {path}: {error.strerror or error}") from None
    except import_module("pyarrow").ArrowException as error:
        raise WrongUsage(f"{path} is no Parquet file that can be read: {error}") from None
    for number, record in enumerate(records, start=1):
        if not isinstance(record[column], str):
            raise WrongUsage(f"row {number} of {path.name} has no text: {column!r}")
    kept = wanted if keep is None else keep
    return [Row(one[column], {name: one[name] for name in kept}) for one in records]


def writer_of(path: Path) -> Writer:
    """How rows are written to a file of this name. Raises WrongUsage."""
    match path.suffix:
        case ".csv":
            return _write_csv
        case ".jsonl" | ".ndjson":
            return _write_lines
        case ".parquet":
            _parquet()  # said now, and not after all the work
            return _write_parquet
        case _:
            raise WrongUsage(
                f"--out {path} is of no known kind: end it with .csv, .jsonl or .parquet"
            )


def _write_csv(path: Path, records: Sequence[Record]) -> None:
    with _Whole(path) as part, part.open("w", encoding="utf-8", errors="replace", newline="") as to:
        sheet = csv.DictWriter(to, _names(records), restval="")
        sheet.writeheader()
        sheet.writerows({name: _cell(value) for name, value in one.items()} for one in records)


def _write_lines(path: Path, records: Sequence[Record]) -> None:
    with _Whole(path) as part, part.open("w", encoding="utf-8", errors="replace") as to:
        for record in records:
            to.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")


def _write_parquet(path: Path, records: Sequence[Record]) -> None:
    table = import_module("pyarrow").table(
        {name: [one.get(name) for one in records] for name in _names(records)}
    )
    with _Whole(path) as part:
        _parquet().write_table(table, part)


class _Whole:
    """A new file beside another, which takes its place when all of it is written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Path:
        with NamedTemporaryFile(dir=self._path.parent, prefix=".llmaas-", delete=False) as file:
            self._part = Path(file.name)
        return self._part

    def __exit__(self, kind: type[BaseException] | None, *more: object) -> None:
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)


def _names(records: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(name for one in records for name in one))


def _cell(value: Any) -> Any:
    """Lists and objects as JSON: a cell has one value."""
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def _parquet() -> Any:
    try:
        return import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        raise WrongUsage("Parquet files need pyarrow: pip install pyarrow") from None
