"""Each hour of the ledger gets its digest once it is over."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from llmaas_server.gateway.digests import ACTION, GRACE, HOUR, Digest
from llmaas_server.gateway.trail import Entry
from llmaas_server.storage.database import Database
from llmaas_server.storage.ledger import LedgerRow
from support.trails import Safe

CALL = LedgerRow(
    "call_0", "acc_1", "app_1", "key_1", "chat", "m", None, "completed", None,
    10, 0, 5, 100, 0, 50, 40, 1, 2,
)  # fmt: skip


@pytest.fixture
async def safe(database: Database, tmp_path: Path) -> Safe:
    safe = Safe(database, tmp_path)
    safe.clock.at = safe.clock.at // HOUR * HOUR
    return safe


async def settle(safe: Safe, name: str) -> None:
    row = replace(CALL, id=name, settled_at=safe.clock.at)
    await safe.database.write(lambda tables: tables.ledger.add(row))


async def digests(safe: Safe) -> list[Digest]:
    return [Digest.of(row) for row in await safe.entries() if row.action == ACTION]


async def test_an_hour_is_digested_when_nothing_more_comes(safe: Safe) -> None:
    start = safe.clock.at
    await settle(safe, "call_1")
    safe.clock.at = start + HOUR + GRACE - 1
    assert not await safe.digests.add_due()
    safe.clock.at += 1
    assert await safe.digests.add_due()
    assert not await safe.digests.add_due()
    [digest] = await digests(safe)
    assert (digest.start, digest.end, digest.count) == (0, start + HOUR, 1)


async def test_quiet_hours_have_none_and_leave_no_gap(safe: Safe) -> None:
    start = safe.clock.at
    await settle(safe, "call_1")
    safe.clock.at = start + HOUR + GRACE
    await safe.digests.add_due()
    safe.clock.at = start + 5 * HOUR + GRACE
    assert not await safe.digests.add_due()
    await settle(safe, "call_2")
    safe.clock.at = start + 6 * HOUR + GRACE
    assert await safe.digests.add_due()
    first, second = await digests(safe)
    assert (second.start, second.end, second.count) == (first.end, start + 6 * HOUR, 1)
    assert (await safe.verify()).is_whole


async def test_the_order_of_rows_is_nothing(safe: Safe) -> None:
    start = safe.clock.at
    for name in ("call_b", "call_a"):
        await settle(safe, name)
    safe.clock.at = start + HOUR + GRACE
    await safe.digests.add_due()
    [digest] = await digests(safe)
    assert digest.count == 2
    assert (await safe.verify()).is_whole


async def test_a_digest_that_is_none_is_told(safe: Safe, caplog: pytest.LogCaptureFixture) -> None:
    await safe.add(Entry("server", "ledger", ACTION, "nonsense"))
    with caplog.at_level(logging.ERROR):
        assert not await safe.digests.add_due()
    assert "llmaas audit verify" in caplog.text
    assert [flaw.what for flaw in (await safe.verify()).flaws] == ["holds no digest of the ledger"]
