"""Units of work: whole or not at all, in order, acknowledged after the commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from llmaas_server.errors import Problem
from llmaas_server.storage.database import Database, url_in
from llmaas_server.storage.failures import RowConflict, StorageError, StorageInUse
from llmaas_server.storage.tables import Tables, Unit, nothing
from support.databases import accounts, add_tenant, adding, run_sql

PATIENCE = 10.0


def submit_together(database: Database, *units: Unit[Any]) -> list[Future[Any]]:
    """Queue the units while the writer is busy, so that they share a transaction."""
    busy, go = threading.Event(), threading.Event()

    def block(tables: Tables) -> None:
        busy.set()
        assert go.wait(PATIENCE)

    first = database.submit(block)
    assert busy.wait(PATIENCE)
    futures = [database.submit(unit) for unit in units]
    go.set()
    first.result(PATIENCE)
    return futures


async def test_a_unit_is_whole_or_not_at_all(database: Database) -> None:
    def unit(tables: Tables) -> None:
        adding("a")(tables)
        raise Problem("conflict", "changed my mind")

    with pytest.raises(Problem, match="changed my mind"):
        await database.write(unit)
    assert await accounts(database) == []


async def test_what_is_acknowledged_can_be_read(database: Database) -> None:
    for number in range(20):
        await database.write(adding(f"a{number:02}"))
        assert len(await accounts(database)) == number + 1


async def test_units_that_share_a_commit_do_not_share_their_errors(database: Database) -> None:
    def wrong(tables: Tables) -> None:
        adding("lost")(tables)
        raise ValueError("wrong")

    outcomes = submit_together(database, adding("a"), adding("a"), wrong, adding("b"))
    assert outcomes[0].result(PATIENCE) == "a"
    assert isinstance(outcomes[1].exception(PATIENCE), RowConflict)
    assert isinstance(outcomes[2].exception(PATIENCE), ValueError)
    assert outcomes[3].result(PATIENCE) == "b"
    assert await accounts(database) == ["a", "b"]


async def test_bad_sql_of_one_unit_does_not_hurt_its_neighbours(database: Database) -> None:
    wrong = run_sql("SELECT * FROM nowhere")
    outcomes = submit_together(database, adding("a"), wrong, adding("b"))
    problem = outcomes[1].exception(PATIENCE)
    assert isinstance(problem, Problem)
    assert problem.code == "storage_unavailable"
    assert "nowhere" not in problem.message
    assert [outcomes[0].result(PATIENCE), outcomes[2].result(PATIENCE)] == ["a", "b"]
    assert await accounts(database) == ["a", "b"]


async def test_units_are_done_in_the_order_of_their_submission(database: Database) -> None:
    seen: list[int] = []

    def noting(number: int) -> Callable[[Tables], None]:
        return lambda tables: seen.append(number)

    futures = submit_together(database, *(noting(number) for number in range(200)))
    for future in futures:
        future.result(PATIENCE)
    assert seen == list(range(200))


async def test_who_stops_waiting_does_not_stop_the_work(database: Database) -> None:
    busy, go = threading.Event(), threading.Event()

    def slow(tables: Tables) -> None:
        adding("a")(tables)
        busy.set()
        assert go.wait(PATIENCE)

    waiting = asyncio.create_task(database.write(slow))
    assert await asyncio.to_thread(busy.wait, PATIENCE)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go.set()
    await database.write(nothing)
    assert await accounts(database) == ["a"]


async def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(Problem) as caught:
        await database.read(adding("a"))
    assert caught.value.code == "storage_unavailable"
    assert await accounts(database) == []


async def test_a_read_sees_one_state(database: Database) -> None:
    await database.write(add_tenant)

    def unit(tables: Tables) -> tuple[int, int]:
        before = len(tables.accounts.all())
        database.submit(adding("later")).result(PATIENCE)
        return before, len(tables.accounts.all())

    assert await database.read(unit) == (1, 1)
    assert len(await accounts(database)) == 2


def test_one_process_owns_a_database(database_url: str) -> None:
    first = Database.open(database_url)
    with pytest.raises(StorageInUse, match="in use by"):
        Database.open(database_url)
    first.submit(adding("a")).result(PATIENCE)
    first.close()
    again = Database.open(database_url)
    assert [row.id for row in again.look(lambda tables: tables.accounts.all())] == ["a"]
    again.close()


def test_a_closed_database_takes_nothing(database_url: str) -> None:
    database = Database.open(database_url)
    queued = database.submit(adding("a"))
    database.close()
    assert queued.result(PATIENCE) == "a"
    with pytest.raises(StorageError, match="closed"):
        database.submit(adding("b"))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("mysql://host/name", "mysql is not supported"),
        ("nonsense", "sqlite:///PATH"),
        ("postgresql://user:secret@127.0.0.1:1/name", "cannot be reached"),
    ],
)
def test_urls_that_lead_nowhere(url: str, said: str) -> None:
    with pytest.raises(StorageError, match=said) as caught:
        Database.open(url)
    assert "secret" not in str(caught.value)


def test_the_database_of_a_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    database = Database.open(url_in(home))
    database.submit(adding("a")).result(PATIENCE)
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()}
    assert {"llmaas.db", "llmaas.db-wal", "llmaas.db.lock"} <= set(modes)
    assert set(modes.values()) == {0o600}
    assert home.stat().st_mode & 0o777 == 0o700
    database.close()
    assert {path.name for path in home.iterdir()} == {"llmaas.db", "llmaas.db.lock"}
