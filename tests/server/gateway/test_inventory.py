"""What is changed outside the database is told when it is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmaas_server.gateway.inventory import Inventory, fingerprint
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables
from support.trails import Safe


class Shelf:
    """Things that come and go."""

    def __init__(self, safe: Safe) -> None:
        self.safe = safe
        self.things = {"a": "1", "b": "1"}
        self.inventory = self.again()

    def again(self) -> Inventory:
        """As after a new start."""
        safe = self.safe
        return Inventory(safe.database, safe.trail, "models", lambda: dict(self.things))

    async def told(self) -> list[tuple[str, object]]:
        def read(tables: Tables) -> list[tuple[str, object]]:
            rows = tables.audit.after(0, 100)
            details = [self.safe.trail.detail(tables, row) or {} for row in rows]
            return [(row.target, one["before"]) for row, one in zip(rows, details, strict=True)]

        return await self.safe.database.read(read)


@pytest.fixture
def shelf(database: Database, tmp_path: Path) -> Shelf:
    return Shelf(Safe(database, tmp_path))


async def test_what_is_there_at_first(shelf: Shelf) -> None:
    assert await shelf.inventory.check()
    assert await shelf.told() == [("all", {"a": None, "b": None})]


async def test_what_comes_goes_and_changes(shelf: Shelf) -> None:
    await shelf.inventory.check()
    shelf.things = {"a": "2", "c": "1"}
    assert await shelf.inventory.check()
    assert (await shelf.told())[1:] == [("a, b, c", {"a": "1", "b": "1", "c": None})]


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_stays_is_told_once(shelf: Shelf, restarted: bool) -> None:
    await shelf.inventory.check()
    inventory = shelf.again() if restarted else shelf.inventory
    assert not await inventory.check()
    assert len(await shelf.told()) == 1


async def test_a_change_while_no_server_ran(shelf: Shelf) -> None:
    await shelf.inventory.check()
    shelf.things["a"] = "2"
    assert await shelf.again().check()
    assert (await shelf.told())[1:] == [("a", {"a": "1"})]


async def test_nothing_is_no_change(shelf: Shelf) -> None:
    shelf.things = {}
    assert not await shelf.inventory.check()


def test_fingerprints() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
