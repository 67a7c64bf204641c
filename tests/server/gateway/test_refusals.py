"""Refused accesses are in the trail, and cannot fill the disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llmaas_server.gateway.refusals import MOST_ACCOUNTS, MOST_ROWS, WINDOW
from llmaas_server.gateway.trail import Entry
from llmaas_server.storage.audit import AuditRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import nothing
from support.databases import add_tenant
from support.trails import Safe

STRANGER = Entry("stranger", "unknown", "access.refused", "GET /v1/keys", "refused")
OWN = replace(STRANGER, actor_kind="key", actor="key_1", account_id="acc_1")


@pytest.fixture
async def safe(sqlite_database: Database, tmp_path: Path) -> Safe:
    await sqlite_database.write(add_tenant)
    return Safe(sqlite_database, tmp_path)


async def written(safe: Safe) -> list[AuditRow]:
    await safe.database.write(nothing)  # comes after what was noted
    return await safe.entries()


async def targets(safe: Safe, account_id: str | None = None) -> list[str]:
    return [row.target for row in await written(safe) if row.account_id == account_id]


async def test_a_few_have_a_row_each(safe: Safe) -> None:
    for _ in range(MOST_ROWS):
        safe.refusals.note(STRANGER)
    safe.clock.advance(WINDOW)
    safe.refusals.sweep()
    assert await targets(safe) == ["GET /v1/keys"] * MOST_ROWS
    assert {row.outcome for row in await written(safe)} == {"refused"}


async def test_a_flood_has_a_count(safe: Safe) -> None:
    start = safe.clock.at
    for _ in range(100_000):
        safe.refusals.note(STRANGER)
    safe.clock.advance(WINDOW)
    safe.refusals.sweep()
    rows = await targets(safe)
    assert len(rows) == MOST_ROWS + 1
    assert rows[-1] == f"{100_000 - MOST_ROWS} more since {start}"
    safe.refusals.note(STRANGER)
    assert (await targets(safe))[-1] == "GET /v1/keys"


async def test_strangers_do_not_hide_an_account(safe: Safe) -> None:
    for _ in range(2 * MOST_ROWS):
        safe.refusals.note(STRANGER)
    safe.refusals.note(OWN)
    assert await targets(safe, "acc_1") == ["GET /v1/keys"]


async def test_many_accounts_share_what_is_left(safe: Safe) -> None:
    for number in range(MOST_ACCOUNTS * 3):
        for _ in range(MOST_ROWS + 1):
            safe.refusals.note(replace(OWN, account_id=f"acc_{number}"))
    safe.refusals.close()
    assert len(await written(safe)) <= (MOST_ACCOUNTS + 2) * (MOST_ROWS + 1)


async def test_what_was_counted_is_written_at_the_end(safe: Safe) -> None:
    for _ in range(MOST_ROWS + 5):
        safe.refusals.note(STRANGER)
    safe.refusals.close()
    assert (await targets(safe))[-1].startswith("5 more")
