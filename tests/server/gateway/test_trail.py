"""Each change has its row, each row holds the hash of the one before."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from llmaas_server.gateway.trail import FIRST, Entry, row_hash
from llmaas_server.storage.audit import AuditRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables
from support.databases import add_tenant
from support.rows import AUDIT
from support.trails import CREATED, Safe


@pytest.fixture
async def safe(database: Database, tmp_path: Path) -> Safe:
    await database.write(add_tenant)
    return Safe(database, tmp_path)


async def test_rows_form_a_chain(safe: Safe) -> None:
    await safe.add(CREATED, replace(CREATED, action="keys.revoke"), replace(CREATED, actor="u2"))
    first, second, third = await safe.entries()
    assert [first.seq, second.seq, third.seq] == [1, 2, 3]
    assert first.previous == FIRST
    assert second.previous == first.hash == row_hash(first)
    assert third.previous == second.hash == row_hash(second)


async def test_a_change_and_its_row_are_one(safe: Safe) -> None:
    def unit(tables: Tables) -> None:
        safe.trail.add(tables, CREATED)
        raise ValueError("the change cannot be made")

    with pytest.raises(ValueError, match="cannot be made"):
        await safe.database.write(unit)
    assert await safe.entries() == []


@pytest.mark.parametrize("account_id", ["acc_1", None], ids=["account", "server"])
async def test_detail_is_kept_encrypted(safe: Safe, account_id: str | None) -> None:
    entry = replace(CREATED, account_id=account_id, detail={"name": "a telling name"})
    await safe.add(entry)
    [row] = await safe.entries()
    assert row.detail is not None
    assert b"telling" not in row.detail
    read = await safe.database.read(lambda tables: safe.trail.detail(tables, row))
    assert read == {"name": "a telling name"}


async def test_an_address_is_kept_hashed(safe: Safe) -> None:
    await safe.add(CREATED, CREATED, replace(CREATED, address="127.0.0.2"))
    first, second, other = await safe.entries()
    assert first.address == second.address != other.address
    assert b"127.0.0.1" not in (first.address or b"127.0.0.1")


async def test_of_an_erased_account_the_rows_stay_and_their_details_go(safe: Safe) -> None:
    await safe.add(replace(CREATED, detail={"name": "gone"}))
    await safe.database.write(lambda tables: safe.vault.destroy(tables, "acc_1"))
    await safe.add(replace(CREATED, detail={"name": "never kept"}))
    told, later = await safe.entries()
    assert await safe.database.read(lambda tables: safe.trail.detail(tables, told)) is None
    assert later.detail is None
    assert (await safe.verify()).is_whole


@pytest.mark.parametrize("name", [field.name for field in fields(AuditRow)][:-1])
def test_the_hash_is_over_every_field(name: str) -> None:
    value = getattr(AUDIT, name)
    other: Any = {int: 99, str: "other", bytes: b"other", type(None): b"other"}[type(value)]
    assert row_hash(AUDIT) != row_hash(replace(AUDIT, **{name: other}))


def test_what_is_missing_differs_from_what_is_empty() -> None:
    assert row_hash(replace(AUDIT, detail=None)) != row_hash(replace(AUDIT, detail=b""))
    assert row_hash(replace(AUDIT, actor="ab", action="c")) != row_hash(
        replace(AUDIT, actor="a", action="bc")
    )


async def test_entries_of_one_unit_are_in_order(safe: Safe) -> None:
    def unit(tables: Tables) -> None:
        for number in range(3):
            safe.trail.add(tables, Entry("server", "server", "settings.read", str(number)))

    await safe.database.write(unit)
    assert [row.target for row in await safe.entries()] == ["0", "1", "2"]
    assert (await safe.verify()).is_whole
