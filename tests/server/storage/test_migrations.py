"""Every schema that there was becomes the schema that there is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import sqlalchemy as sa

from llmaas_server.storage import migrate, schema
from llmaas_server.storage.database import Database
from llmaas_server.storage.failures import RowConflict, StorageError
from llmaas_server.storage.tables import Tables
from support.databases import run_sql
from support.rows import fill

START = [None, *migrate.revisions()]
APPEND_ONLY = ("ledger", "audit", "audit_checkpoints", "prices")


def connect(url: str) -> sa.Engine:
    return sa.create_engine(url, poolclass=sa.NullPool)


def by_name(things: Iterable[Any]) -> dict[str, Any]:
    return {thing["name"]: thing for thing in things}


def shape_of(engine: sa.Engine) -> dict[str, Any]:
    """Everything that a schema is made of."""
    inspector = sa.inspect(engine)
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"])
                for column in inspector.get_columns(table)
            ],
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": by_name(inspector.get_foreign_keys(table)),
            "indexes": by_name(inspector.get_indexes(table)),
            "unique": by_name(inspector.get_unique_constraints(table)),
            "checks": by_name(inspector.get_check_constraints(table)),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


@pytest.mark.parametrize("start", START, ids=str)
def test_from_every_schema_to_the_one_there_is(database_url: str, start: str | None) -> None:
    engine = connect(database_url)
    if start is not None:
        with engine.begin() as connection:
            migrate.upgrade(connection, start)
            assert migrate.current(connection) == start
    Database.open(database_url).close()
    migrated = shape_of(engine)
    with engine.begin() as connection:
        assert migrate.current(connection) == migrate.revisions()[-1]
        # In place of the migrated tables, those of the schema.
        for table in reversed(sa.inspect(connection).get_table_names()):
            cascade = " CASCADE" if connection.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TABLE {table}{cascade}")
        schema.metadata.create_all(connection)
    assert shape_of(engine) == migrated


def test_opening_again_changes_nothing(database_url: str) -> None:
    database = Database.open(database_url)
    database.submit(fill).result()
    database.close()
    again = Database.open(database_url)
    assert len(again.look(lambda tables: tables.accounts.all())) == 1
    again.close()


def test_a_newer_schema_is_refused(database_url: str) -> None:
    database = Database.open(database_url)
    database.submit(run_sql("UPDATE alembic_version SET version_num = '9999'")).result()
    database.close()
    with pytest.raises(StorageError, match="9999"):
        Database.open(database_url)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET {column} = {column}"])
async def test_history_is_never_changed(database: Database, table: str, statement: str) -> None:
    def unit(tables: Tables) -> None:
        fill(tables)
        run_sql(
            "INSERT INTO ledger SELECT 'c', 'a', 'a', 'k', 't', 'm', NULL, 'failed', NULL, "
            "0, 0, 0, 0, 0, 0, 0, 1, 2"
        )(tables)

    await database.write(unit)
    column = next(iter(schema.metadata.tables[table].primary_key)).name
    with pytest.raises(RowConflict, match=f"rows of {table} are never changed"):
        await database.write(run_sql(statement.format(table, column=column)))
    assert await database.write(run_sql(f"SELECT count(*) FROM {table}")) == 1
