"""What is true of PostgreSQL alone."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from llmaas_server.errors import Problem
from llmaas_server.storage.database import Database
from llmaas_server.storage.failures import StorageError
from llmaas_server.storage.pg_tools import complaint, dump_command, restore_command
from llmaas_server.storage.reader import Reader, dialect_of
from support.databases import accounts, adding, new_database, run_sql


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with new_database("postgresql", tmp_path) as made:
        yield made


async def test_a_lost_connection_is_made_anew(url: str) -> None:
    database = Database.open(url)
    await database.write(adding("a"))
    writer = await database.write(run_sql("SELECT pg_backend_pid()"))
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_terminate_backend({writer}, 5000)")
    with pytest.raises(Problem) as caught:
        await database.write(adding("b"))
    assert caught.value.code == "storage_unavailable"
    await database.write(adding("c"))
    assert await accounts(database) == ["a", "c"]
    assert await database.write(run_sql("SELECT pg_backend_pid()")) != writer
    database.close()


async def test_who_lost_the_lock_writes_no_more(url: str) -> None:
    """Another server came in between: it owns the database now."""
    first = Database.open(url)
    writer = await first.write(run_sql("SELECT pg_backend_pid()"))
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_terminate_backend({writer}, 5000)")
    second = Database.open(url)
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            await first.write(adding("a"))
        assert caught.value.code == "storage_unavailable"
    await second.write(adding("b"))
    assert await accounts(first) == ["b"]
    first.close()
    second.close()


async def test_commits_wait_for_the_disk(url: str) -> None:
    database = Database.open(url)
    assert await database.write(run_sql("SHOW synchronous_commit")) == "on"
    database.close()


def test_a_schema_that_is_not_there(url: str) -> None:
    nowhere = sa.make_url(url).update_query_dict({"options": "-csearch_path=nowhere"})
    with pytest.raises(StorageError, match="create it first"):
        Database.open(nowhere.render_as_string(hide_password=False))


def test_copies_are_made_with_its_own_tools(url: str, tmp_path: Path) -> None:
    database = Database.open(url)
    with pytest.raises(StorageError, match=r"type: pg_dump --format=custom .*copy 'postgresql://"):
        database.backup(tmp_path / "copy")
    database.close()


def test_and_brought_back_with_them(url: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"type: pg_restore --clean .*copy"):
        dialect_of(url).replacement(tmp_path / "copy")


def test_a_copy_with_its_own_tools_is_whole(url: str, tmp_path: Path) -> None:
    """What is typed does what it says: here into the same schema."""
    if complaint("pg_dump", 1) or complaint("pg_restore", 1):
        pytest.skip("no pg_dump")
    database = Database.open(url)
    database.submit(adding("a")).result()
    database.close()
    file, named = tmp_path / "copy", sa.make_url(url)
    # The schema of the test is the search path of its connections, which pg_dump sets itself.
    schema = str(named.query["options"]).removeprefix("-csearch_path=")
    dump = shlex.split(dump_command(named, file))
    subprocess.run([*dump, f"--schema={schema}"], check=True, timeout=60)
    database = Database.open(url)
    database.submit(adding("b")).result()
    database.close()
    subprocess.run(shlex.split(restore_command(named, file)), check=True, timeout=60)
    reader = Reader.open(url)
    assert [row.id for row in reader.look(lambda tables: tables.accounts.all())] == ["a"]
    reader.close()
