"""A backup comes back whole, and what is not whole does not come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from llmaas_server.gateway import kek
from llmaas_server.gateway.anchor import AnchorFile, anchor_path
from llmaas_server.gateway.kek import KeychainError, KeyFile
from llmaas_server.gateway.keychain import rotate
from llmaas_server.gateway.restoring import BrokenTrail, Restored, restore, resume
from llmaas_server.storage.database import Database
from llmaas_server.storage.failures import StorageError, StorageInUse
from llmaas_server.storage.snapshot import Replacement
from support.clocks import ManualClock
from support.databases import add_tenant, run_sql
from support.trails import CREATED, Safe

CONTEXT = b"users|usr_1|email"
CLOCK = ManualClock()


class Home:
    """The folder of a server that has a backup, and has gone on since."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'llmaas.db'}"
        self.backup = folder / "backup.db"
        self.heads = AnchorFile(anchor_path(folder))

    @asynccontextmanager
    async def opened(self, file: Path | None = None) -> AsyncIterator[Safe]:
        database = Database.open(self.url if file is None else f"sqlite:///{file}")
        try:
            yield Safe(database, self.folder)
        finally:
            database.close()

    def restore(self) -> Restored:
        return restore(self.url, self.backup, KeyFile(self.folder), self.heads, CLOCK)

    async def actions(self) -> list[str]:
        async with self.opened() as safe:
            return [row.action for row in await safe.entries()]


@pytest.fixture
async def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    async with home.opened() as safe:
        await safe.database.write(add_tenant)
        for detail in (None, {"name": "kept"}):
            await safe.add(replace(CREATED, detail=detail))
            await safe.anchoring.anchor()
        safe.database.backup(home.backup)
        await safe.add(replace(CREATED, action="keys.revoke"))
        await safe.anchoring.anchor()
    return home


async def test_there_and_back(home: Home) -> None:
    restored = home.restore()
    assert (restored.rows, restored.lost) == (2, 1)
    async with home.opened() as safe:
        _, second, told = await safe.entries()
        assert told.action == "database.restore"
        detail = await safe.database.read(lambda tables: safe.trail.detail(tables, told))
        assert detail == {"rows": 2, "rows_given_up": 1}
        kept = await safe.database.read(lambda tables: safe.trail.detail(tables, second))
        assert kept == {"name": "kept"}
        await safe.anchoring.start()
        report = await safe.verify()
        assert (report.flaws, report.anchored) == ([], 3)


async def test_what_is_replaced_is_kept(home: Home) -> None:
    before = home.heads.read()
    restored = home.restore()
    assert restored.database is not None
    assert restored.heads is not None
    async with home.opened(restored.database) as safe:
        assert [row.action for row in await safe.entries()][-1] == "keys.revoke"
    assert AnchorFile(restored.heads).read() == before


async def test_again_and_again(home: Home) -> None:
    home.restore()
    home.restore()
    assert await home.actions() == ["keys.create", "keys.create", "database.restore"]


async def test_on_a_machine_that_has_only_backup_and_key(home: Home) -> None:
    for file in (*home.folder.glob("llmaas.db*"), home.heads.path):
        file.unlink()
    restored = home.restore()
    assert (restored.database, restored.heads, restored.lost) == (None, None, 0)
    async with home.opened() as safe:
        assert (await safe.verify()).is_whole


async def test_a_damaged_file_replaces_nothing(home: Home) -> None:
    content = home.backup.read_bytes()
    home.backup.write_bytes(content[: len(content) // 2])
    with pytest.raises(StorageError, match="damaged"):
        home.restore()
    assert (await home.actions())[-1] == "keys.revoke"


async def test_a_backup_of_another_key_replaces_nothing(home: Home) -> None:
    async with home.opened() as safe:
        rotate(safe.database, safe.source, CLOCK)
    with pytest.raises(KeychainError, match="bring back the right key"):
        home.restore()
    assert (await home.actions())[-1] == "keys.revoke"


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET actor = 'usr_innocent' WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 2",
        "DELETE FROM audit_checkpoints WHERE seq = 2; DELETE FROM audit",
    ],
)
async def test_a_backup_that_somebody_changed_replaces_nothing(home: Home, tampering: str) -> None:
    async with home.opened(home.backup) as safe:
        for table in ("audit", "audit_checkpoints"):
            for action in ("update", "delete"):
                await safe.database.write(run_sql(f"DROP TRIGGER {table}_no_{action}"))
        for statement in tampering.split(";"):
            await safe.database.write(run_sql(statement))
    with pytest.raises(BrokenTrail):
        home.restore()
    assert (await home.actions())[-1] == "keys.revoke"
    assert [head.seq for head in home.heads.read()] == [1, 2, 3]


async def test_a_running_server_keeps_its_database(home: Home) -> None:
    async with home.opened():
        with pytest.raises(StorageInUse):
            home.restore()
    assert (await home.actions())[-1] == "keys.revoke"


async def test_after_another_tool_has_restored(home: Home) -> None:
    """As pg_restore does it: the database is back, and the heads are those of later."""
    with Replacement(home.folder / "llmaas.db", home.backup) as replacement:
        replacement.put_in_place()
    async with home.opened() as safe:
        assert not (await safe.verify()).is_whole
        rows, lost, kept = resume(safe.database, safe.source, home.heads, CLOCK)
        assert (rows, lost) == (2, 1)
        assert kept is not None
        assert (await safe.verify()).is_whole


async def test_a_backup_of_an_older_key_comes_back_where_that_key_is_there_too(home: Home) -> None:
    source = KeyFile(home.folder)
    [old] = source.load()
    async with home.opened() as safe:
        rotate(safe.database, source, CLOCK)
    [new] = source.load()
    (home.folder / kek.FOLDER / kek.FILE_NAME).write_text(f"{new.text}\n{old.text}\n")
    home.restore()
    async with home.opened() as safe:
        assert (await safe.verify()).is_whole
    assert [key.id for key in source.load()] == [new.id]
