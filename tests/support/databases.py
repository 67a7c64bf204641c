"""Databases for tests: a new one each time, in SQLite and, where there is a server, PostgreSQL.

`LLMAAS_TEST_POSTGRES_URL` names a database whose owner the tests may be; each test works in a
schema of its own.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from llmaas_server.storage.accounts import AccountRow
from llmaas_server.storage.applications import ApplicationRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.keys import KeyRow
from llmaas_server.storage.tables import Tables, Unit
from llmaas_server.storage.values import Limits, Payer, Scopes

POSTGRES = "LLMAAS_TEST_POSTGRES_URL"
SYSTEMS = ("sqlite", "postgresql")


@contextmanager
def new_database(system: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database. Skips where the system is not there."""
    if system == "sqlite":
        yield f"sqlite:///{folder / 'test.db'}"
        return
    url = os.environ.get(POSTGRES)
    if not url:
        pytest.skip(f"no PostgreSQL: {POSTGRES} is not set")
    schema = f"test_{uuid.uuid4().hex}"
    named = sa.make_url(url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(named, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    try:
        inside = engine.url.update_query_dict({"options": f"-csearch_path={schema}"})
        yield inside.render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(schema, cascade=True))


@pytest.fixture(params=SYSTEMS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with new_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database, on each system."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """For tests that are about what stands above."""
    opened = Database.open(f"sqlite:///{tmp_path / 'test.db'}")
    yield opened
    opened.close()


PAYER = Payer("acc_1", "app_1", "key_1")

ACCOUNT = AccountRow("acc_1", "Account", "active", Limits(), created_at=1)
APPLICATION = ApplicationRow(
    "app_1", "acc_1", "Application", "active", None, ("m", "n"), Limits(concurrency=2), True, 2
)
KEY = KeyRow(
    id="key_1",
    account_id="acc_1",
    application_id="app_1",
    kind="inference",
    name="Key",
    mac=b"\x00\xff",
    mac_version=1,
    scopes=Scopes(tasks=("chat",), models=("m",), actions=("infer",)),
    limits=Limits(requests_per_minute=60),
    created_at=3,
    expires_at=2**62,
)


def add_tenant(tables: Tables) -> None:
    """An account with an application with a key: those of PAYER."""
    tables.accounts.add(ACCOUNT)
    tables.applications.add(APPLICATION)
    tables.keys.add(KEY)


def adding(account_id: str) -> Unit[str]:
    def unit(tables: Tables) -> str:
        tables.accounts.add(replace(ACCOUNT, id=account_id))
        return account_id

    return unit


async def accounts(database: Database) -> list[str]:
    rows = await database.read(lambda tables: tables.accounts.all())
    return [row.id for row in rows]


def run_sql(statement: str) -> Unit[Any]:
    """What no table offers, for tests that look behind them."""

    def unit(tables: Tables) -> Any:
        done = tables.accounts._connection.exec_driver_sql(statement)
        return done.scalar() if done.returns_rows else None

    return unit
