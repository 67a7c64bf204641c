"""Versions of prices. None is ever changed: what was billed can be computed again."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from . import schema
from .table import Table


@dataclass(frozen=True, slots=True)
class PriceRow:
    """Nano-units for a million tokens, or for a second."""

    id: int
    model: str | None
    """None is any model."""
    task: str | None
    """None is any task."""
    prompt: int
    cached: int
    completion: int
    cpu_second: int
    gpu_second: int
    most_time: int
    """Microseconds that a call is charged for at most, and that are reserved for it."""
    valid_from: int
    created_at: int


class Prices(Table[PriceRow]):
    table = schema.prices
    row = PriceRow

    def next_id(self) -> int:
        last = self._connection.scalar(sa.select(sa.func.max(self.table.c.id)))
        return (last or 0) + 1

    def all(self) -> list[PriceRow]:
        """In the order in which they were set."""
        return self._select(order=(self.table.c.id,))
