"""Types of columns that mean the same in SQLite and in PostgreSQL."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import BigInteger, Dialect, Integer, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

# STRICT tables of SQLite know INTEGER, TEXT and BLOB; their INTEGER has 64 bits.
Int64: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")


class Flag(TypeDecorator[bool]):
    """A truth value, as 0 or 1."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class Json(TypeDecorator[Any]):
    """A value of one type, as JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, of: Any) -> None:
        super().__init__()
        self.of = of

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else msgspec.json.decode(value, type=self.of)
