"""What all tables have in common: a row goes in as a frozen dataclass, and comes out as one."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import sqlalchemy as sa

from .failures import NoSuchRow

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    R = TypeVar("R", bound=DataclassInstance)
else:
    R = TypeVar("R")


class Table(Generic[R]):
    """Rows of one table, through one connection.

    `row` has the names of the columns as its fields, with the primary key first.
    """

    table: ClassVar[sa.Table]
    row: type[R]

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, row: R) -> None:
        """Raises RowConflict where the id is taken (once the unit of work ends)."""
        self._connection.execute(self.table.insert(), _values(row))

    def get(self, *key: Any) -> R | None:
        """The row with this primary key."""
        found = self._select(*self._is(key))
        return found[0] if found else None

    def _select(
        self, *where: sa.ColumnElement[bool], order: Any = (), limit: int | None = None
    ) -> list[R]:
        query = sa.select(*self._columns()).where(*where).order_by(*order).limit(limit)
        return [self.row(*record) for record in self._connection.execute(query)]

    def _columns(self) -> list[sa.Column[Any]]:
        return [self.table.c[field.name] for field in fields(self.row)]

    def _is(self, key: tuple[Any, ...]) -> list[sa.ColumnElement[bool]]:
        return [column == value for column, value in zip(self.table.primary_key, key, strict=True)]

    def _key(self, row: R) -> tuple[Any, ...]:
        return tuple(getattr(row, column.name) for column in self.table.primary_key)


class EditableTable(Table[R]):
    """A table whose rows change."""

    def replace(self, row: R) -> None:
        """Put the row in the place of the one with its key. Raises NoSuchRow."""
        changed = self._connection.execute(
            self.table.update().where(*self._is(self._key(row))).values(_values(row))
        )
        if not changed.rowcount:
            raise NoSuchRow(f"{self.table.name} has no row {self._key(row)}")

    def remove(self, *key: Any) -> bool:
        """Whether there was such a row."""
        gone = self._connection.execute(self.table.delete().where(*self._is(key)))
        return bool(gone.rowcount)


def _values(row: DataclassInstance) -> dict[str, Any]:
    # Not dataclasses.asdict: nested values are for the columns' types to encode.
    return {field.name: getattr(row, field.name) for field in fields(row)}
