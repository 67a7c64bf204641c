"""Classifiers that accounts have made from examples; their contents lie apart, and encrypted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from . import schema
from .table import EditableTable

Part = Literal["card", "head", "examples"]
"""What is known of it, its file, and what it was made from."""


@dataclass(frozen=True, slots=True)
class ClassifierRow:
    """One version of a classifier."""

    id: str
    account_id: str
    name: str
    version: int
    digest: str
    """Of its file."""
    created_at: int


@dataclass(frozen=True, slots=True)
class ClassifierPartRow:
    classifier_id: str
    part: Part
    account_id: str
    sealed: bytes


class Classifiers(EditableTable[ClassifierRow]):
    table = schema.classifiers
    row = ClassifierRow

    def of_account(self, account_id: str) -> list[ClassifierRow]:
        """By name, the newest version first."""
        columns = self.table.c
        order = (columns.name, columns.version.desc())
        return self._select(columns.account_id == account_id, order=order)

    def after(self, account_id: str, last_id: str, limit: int) -> list[ClassifierRow]:
        """Rows of an account in the order of their ids, after `last_id`."""
        columns = self.table.c
        where = (columns.account_id == account_id, columns.id > last_id)
        return self._select(*where, order=(columns.id,), limit=limit)

    def count(self, account_id: str) -> int:
        query = sa.select(sa.func.count()).where(self.table.c.account_id == account_id)
        return int(self._connection.execute(query).scalar_one())

    def versions(self, account_id: str, name: str) -> list[ClassifierRow]:
        """The newest first."""
        columns = self.table.c
        where = (columns.account_id == account_id, columns.name == name)
        return self._select(*where, order=(columns.version.desc(),))

    def remove_of(self, account_id: str) -> int:
        """Remove all of an account; how many that were."""
        where = self.table.c.account_id == account_id
        return self._connection.execute(self.table.delete().where(where)).rowcount


class ClassifierParts(EditableTable[ClassifierPartRow]):
    table = schema.classifier_parts
    row = ClassifierPartRow

    def after(self, account_id: str, last: tuple[str, str], limit: int) -> list[ClassifierPartRow]:
        """Rows of an account in the order of their keys, after `last`."""
        columns = self.table.c
        key = sa.tuple_(columns.classifier_id, columns.part)
        order = (columns.classifier_id, columns.part)
        where = (columns.account_id == account_id, key > sa.tuple_(*map(sa.literal, last)))
        return self._select(*where, order=order, limit=limit)

    def remove_all(self, classifier_ids: Iterable[str]) -> None:
        where = self.table.c.classifier_id.in_(list(classifier_ids))
        self._connection.execute(self.table.delete().where(where))

    def remove_of(self, account_id: str) -> None:
        where = self.table.c.account_id == account_id
        self._connection.execute(self.table.delete().where(where))
