"""The head of the trail is kept outside the database, signed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from llmaas_server.errors import Problem
from llmaas_server.gateway import anchor
from llmaas_server.gateway.anchor import AnchorFile, Anchoring, is_signed, signers
from llmaas_server.storage.audit import CheckpointRow
from llmaas_server.storage.database import Database
from support.databases import add_tenant
from support.trails import CREATED, Safe


@pytest.fixture
async def safe(sqlite_database: Database, tmp_path: Path) -> Safe:
    await sqlite_database.write(add_tenant)
    return Safe(sqlite_database, tmp_path)


def again(safe: Safe) -> Anchoring:
    """As after a new start."""
    return Anchoring(safe.database, safe.trail, safe.keychain, safe.file, safe.clock)


async def test_each_head_is_in_the_file_and_in_the_database(safe: Safe) -> None:
    await safe.add(CREATED, CREATED)
    await safe.anchoring.anchor()
    await safe.add(CREATED)
    await safe.anchoring.anchor()
    await safe.anchoring.anchor()
    heads = safe.file.read()
    assert [head.seq for head in heads] == [2, 3]
    assert await safe.database.read(lambda tables: tables.checkpoints.all()) == heads
    assert all(is_signed(head, signers(safe.keychain)) for head in heads)
    assert safe.file.path.stat().st_mode & 0o777 == 0o600


async def test_a_signature_is_of_all_that_a_head_says(safe: Safe) -> None:
    await safe.add(CREATED)
    await safe.anchoring.anchor()
    [head] = safe.file.read()
    known = signers(safe.keychain)
    for changed in (
        replace(head, seq=2),
        replace(head, hash=bytes(32)),
        replace(head, at=head.at + 1),
        replace(head, signed_by="sig_0"),
        replace(head, signature=bytes(64)),
    ):
        assert not is_signed(changed, known)


async def test_a_start_anchors_what_a_sudden_end_left(safe: Safe) -> None:
    await safe.add(CREATED)
    safe.trail.changed.clear()  # forgotten with the process
    await again(safe).start()
    assert [head.seq for head in safe.file.read()] == [1]


async def test_a_start_complains_of_a_cut(safe: Safe, caplog: pytest.LogCaptureFixture) -> None:
    await safe.add(CREATED)
    await safe.anchoring.anchor()
    safe.file.append(replace(safe.file.read()[0], seq=9))
    with caplog.at_level(logging.ERROR):
        await again(safe).start()
    assert "llmaas audit verify" in caplog.text


async def test_a_line_that_a_power_cut_left_is_no_head(safe: Safe) -> None:
    await safe.add(CREATED)
    await safe.anchoring.anchor()
    with safe.file.path.open("ab") as out:
        out.write(b'{"seq":2,"ha')
    await safe.add(CREATED)
    await again(safe).start()
    assert [head.seq for head in safe.file.read()] == [1, 2]
    assert (await safe.verify()).is_whole


async def test_what_cannot_be_anchored_now_is_later(
    safe: Safe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(anchor, "WINDOW_SECONDS", 0)
    anchored, tries = asyncio.Event(), 0
    append = AnchorFile.append

    def failing_once(file: AnchorFile, head: CheckpointRow) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OSError("no space left on device")
        append(file, head)
        loop.call_soon_threadsafe(anchored.set)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(AnchorFile, "append", failing_once)
    await safe.add(CREATED)
    running = asyncio.create_task(safe.anchoring.run())
    await asyncio.wait_for(anchored.wait(), 10)
    running.cancel()
    assert "no space left" in caplog.text
    assert [head.seq for head in safe.file.read()] == [1]


async def test_where_nothing_changes_nothing_is_asked(
    safe: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    safe.trail.changed.clear()

    def refused(unit: object) -> object:
        raise Problem("storage_unavailable")

    monkeypatch.setattr(safe.database, "write", refused)
    await safe.anchoring.anchor()


async def test_a_new_file_keeps_the_old_one(safe: Safe) -> None:
    await safe.add(CREATED)
    await safe.anchoring.anchor()
    await safe.add(CREATED)
    await safe.anchoring.anchor()
    heads = safe.file.read()
    kept = safe.file.rewrite(heads[:1])
    assert kept is not None
    assert AnchorFile(kept).read() == heads
    assert safe.file.read() == heads[:1]
