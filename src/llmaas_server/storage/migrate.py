"""Bring a database to the schema of this version."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection

from .failures import NewerSchema

HEAD = "head"


def revisions() -> list[str]:
    """Every schema that there was, the first one first."""
    return [script.revision for script in _scripts().walk_revisions()][::-1]


def current(connection: Connection) -> str | None:
    """The schema of a database; None where it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, to: str = HEAD) -> None:
    """Run what is missing, inside the transaction of the connection. Never goes back.

    Raises NewerSchema where the database is newer than this version of llmaas.
    """
    scripts = _scripts()

    def missing(revision: object, _: MigrationContext) -> object:
        return scripts._upgrade_revs(to, revision)  # type: ignore[arg-type]

    with EnvironmentContext(Config(), scripts, fn=missing) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        try:
            environment.run_migrations()
        except (CommandError, RevisionError) as error:
            raise NewerSchema(
                f"the database has schema {current(connection)}, which this version of llmaas "
                "does not know: install the version that wrote it, or a newer one"
            ) from error


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent / "migrations"))
