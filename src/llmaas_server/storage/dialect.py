"""What storage needs to know of a database system."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine

from .snapshot import Replacement


class Dialect(Protocol):
    """One database, of one kind."""

    name: str
    """For people; without secrets."""

    def exists(self) -> bool:
        """Whether there may be a database: False where reading would make an empty one."""

    def writer(self) -> Connection:
        """The connection that writes. It owns the database for as long as it is open.

        Raises StorageInUse where another process owns it, StorageError where it cannot be used.
        """

    def readers(self, most: int) -> Engine:
        """Connections that read: each transaction sees one state, and cannot write."""

    def owner(self) -> str | None:
        """The process on this machine that owns the database, where that can be known."""

    def flaw(self, connection: Connection) -> str | None:
        """What is damaged, as far as the system itself can say; reads everything."""

    def backup(self, target: Path) -> None:
        """Write a copy of the committed state.

        Raises StorageError; where the system has tools of its own for that, with what to type.
        """

    def replacement(self, backup: Path) -> Replacement:
        """A copy that may take the place of the database. Raises StorageError, as `backup`."""

    def close(self) -> None:
        """Give the database back, after all connections are closed."""
