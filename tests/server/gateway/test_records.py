"""What an application wants kept is kept encrypted, shown to its owner alone, and goes in time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llmaas_server.errors import Problem
from llmaas_server.gateway.records import DAY
from llmaas_server.gateway.trail import Entry
from llmaas_server.storage.database import Database
from support.databases import ACCOUNT, PAYER, add_tenant, run_sql
from support.trails import Safe

REQUEST = b'{"messages": [{"role": "user", "content": "a telling prompt"}]}'
ANSWER = b'{"message": {"role": "assistant", "content": "a telling answer"}}'
BY_OWNER = Entry("key", "key_1", "records.delete", "call_1", account_id="acc_1")


@pytest.fixture
async def safe(database: Database, tmp_path: Path) -> Safe:
    await database.write(add_tenant)
    await database.write(lambda tables: tables.accounts.add(replace(ACCOUNT, id="acc_2")))
    return Safe(database, tmp_path)


async def keep(safe: Safe, call_id: str, application_id: str = "app_1") -> None:
    payer = replace(PAYER, application_id=application_id)
    unit = await safe.records.keeping(call_id, payer, "chat", "m", REQUEST, ANSWER)
    await safe.database.write(unit)


async def ids(safe: Safe, account_id: str = "acc_1", after: str = "", limit: int = 9) -> list[str]:
    return [row.id for row in await safe.records.after(account_id, after, limit)]


async def test_kept_and_read(safe: Safe) -> None:
    await keep(safe, "call_1")
    record = await safe.records.get("acc_1", "call_1")
    assert (record.request, record.answer) == (REQUEST, ANSWER)
    assert (record.row.application_id, record.row.task) == ("app_1", "chat")
    assert record.row.expires_at == safe.clock.at + DAY


async def test_in_the_database_it_is_not_readable(safe: Safe) -> None:
    await keep(safe, "call_1")
    sealed = await safe.database.write(run_sql("SELECT sealed FROM records"))
    assert b"telling" not in bytes(sealed)


async def test_listed_in_pages(safe: Safe) -> None:
    for number in (3, 1, 2):
        await keep(safe, f"call_{number}")
    assert await ids(safe, limit=2) == ["call_1", "call_2"]
    assert await ids(safe, after="call_2") == ["call_3"]


async def test_of_another_account_there_is_nothing(safe: Safe) -> None:
    await keep(safe, "call_1")
    assert await ids(safe, "acc_2") == []
    with pytest.raises(Problem, match="no record"):
        await safe.records.get("acc_2", "call_1")
    with pytest.raises(Problem, match="no record"):
        await safe.records.remove("acc_2", "call_1", BY_OWNER)
    assert await ids(safe) == ["call_1"]
    assert await safe.entries() == []


async def test_its_owner_deletes_it(safe: Safe) -> None:
    await keep(safe, "call_1")
    await safe.records.remove("acc_1", "call_1", BY_OWNER)
    assert await ids(safe) == []
    assert [row.action for row in await safe.entries()] == ["records.delete"]


async def test_all_of_an_application_are_deleted(safe: Safe) -> None:
    await keep(safe, "call_1")
    await keep(safe, "call_2", application_id="app_2")
    assert await safe.records.remove_all("acc_1", "app_1", BY_OWNER) == 1
    assert await ids(safe) == ["call_2"]
    assert await safe.records.remove_all("acc_1", None, BY_OWNER) == 1
    assert await ids(safe) == []


async def test_what_is_due_is_neither_shown_nor_kept(safe: Safe) -> None:
    await keep(safe, "call_1")
    safe.clock.advance(DAY)
    assert await ids(safe) == []
    with pytest.raises(Problem, match="no record"):
        await safe.records.get("acc_1", "call_1")
    assert await safe.records.purge() == 1
    assert await safe.database.write(run_sql("SELECT count(*) FROM records")) == 0


async def test_before_it_is_due_it_stays(safe: Safe) -> None:
    await keep(safe, "call_1")
    safe.clock.advance(DAY - 1)
    assert await safe.records.purge() == 0
    assert await ids(safe) == ["call_1"]
