"""PostgreSQL, through psycopg 3."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from .failures import NoDriver, StorageError, StorageInUse, words
from .pg_tools import complaint, dump_command, restore_command, tool_major
from .snapshot import Replacement

CONNECT_SECONDS = 10
LOCK_SECONDS = 5


class PostgreSQL:
    """The schema that the URL leads to; the connection that writes holds an advisory lock on it."""

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql+psycopg")
        self.name = url.render_as_string(hide_password=True)

    def exists(self) -> bool:
        return True

    def writer(self) -> Connection:
        engine = self._engine(poolclass=NullPool)
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise StorageError(f"{self.name} cannot be reached: {words(error)}") from error
        # A lock of the session: where the connection is lost, so is the right to write.
        owned = connection.scalar(
            text("SELECT pg_try_advisory_lock(hashtextextended('llmaas ' || current_schema(), 0))")
        )
        if owned is None:
            connection.close()
            raise StorageError(f"{self.name} has no schema to write to: create it first")
        if not owned:
            connection.close()
            raise StorageInUse(
                f"{self.name} is in use by another server: work through that one, or stop it first"
            )
        connection.execute(text("SET synchronous_commit = on"))
        connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS}s'"))
        connection.commit()
        return connection

    def readers(self, most: int) -> Engine:
        engine = self._engine(pool_size=most, max_overflow=0, pool_pre_ping=True)
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def owner(self) -> None:
        """Not known: it may be on another machine."""

    def flaw(self, connection: Connection) -> None:
        """None that can be seen from here: the server looks at each page that it reads."""

    def backup(self, target: Path) -> None:
        raise StorageError(self._advice("pg_dump", dump_command(self._url, target)))

    def replacement(self, backup: Path) -> Replacement:
        raise StorageError(self._advice("pg_restore", restore_command(self._url, backup)))

    def _advice(self, tool: str, command: str) -> str:
        """What to type, and whether it will work here."""
        engine = self._engine(poolclass=NullPool)
        try:
            with engine.connect() as connection:
                number = connection.scalar(text("SHOW server_version_num"))
        except DBAPIError as error:
            raise StorageError(f"{self.name} cannot be reached: {words(error)}") from error
        major = int(number) // 10_000
        wrong = complaint(tool, major)
        return (
            f"{self.name} is PostgreSQL {major}, which has its own tool for that; type: {command} "
            f"({wrong or f'{tool} {tool_major(tool)} is here'})"
        )

    def close(self) -> None:
        """Nothing: the lock went with the connection."""

    def _engine(self, **options: object) -> Engine:
        try:
            return create_engine(
                self._url,
                connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "llmaas"},
                hide_parameters=True,
                **options,
            )
        except ModuleNotFoundError as error:
            raise NoDriver(
                "PostgreSQL needs a driver: pip install 'llmaas[server,postgres]'"
            ) from error
