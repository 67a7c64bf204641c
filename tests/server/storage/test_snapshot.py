"""A backup takes the place of the database where it is whole, and only then."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from llmaas_server.storage.database import Database
from llmaas_server.storage.failures import StorageError, StorageInUse
from llmaas_server.storage.snapshot import Replacement, check
from support.databases import accounts, adding, run_sql


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture
def backup(path: Path, tmp_path: Path) -> Path:
    """Of a database with the account a; the database has another one since."""
    database = Database.open(f"sqlite:///{path}")
    database.submit(adding("a")).result()
    file = tmp_path / "backup.db"
    database.backup(file)
    database.submit(adding("b")).result()
    database.close()
    return file


async def held_in(path: Path) -> list[str]:
    database = Database.open(f"sqlite:///{path}")
    try:
        return await accounts(database)
    finally:
        database.close()


async def test_a_backup_takes_the_place(path: Path, backup: Path) -> None:
    with Replacement(path, backup) as replacement:
        assert await held_in(Path(replacement.url.removeprefix("sqlite:///"))) == ["a"]
        kept = replacement.put_in_place()
    assert await held_in(path) == ["a"]
    assert kept is not None
    assert await held_in(kept) == ["a", "b"]
    assert not list(path.parent.glob("*restoring*"))


def test_it_is_readable_by_its_owner_alone(path: Path, backup: Path) -> None:
    backup.chmod(0o644)
    with Replacement(path, backup) as replacement:
        replacement.put_in_place()
    assert path.stat().st_mode & 0o777 == 0o600


async def test_where_nothing_was(path: Path, backup: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "home" / "new.db"
    with Replacement(fresh, backup) as replacement:
        assert replacement.put_in_place() is None
    assert await held_in(fresh) == ["a"]


async def test_what_is_not_put_in_place_changes_nothing(path: Path, backup: Path) -> None:
    with Replacement(path, backup):
        pass
    assert await held_in(path) == ["a", "b"]
    assert not list(path.parent.glob("*restoring*"))


def cut(file: Path) -> None:
    with file.open("r+b") as out:
        out.truncate(file.stat().st_size // 2)


def overwrite(file: Path) -> None:
    with file.open("r+b") as out:
        out.seek(4096)
        out.write(b"\xff" * 8192)


def replace_by_text(file: Path) -> None:
    file.write_text("not a database")


def empty(file: Path) -> None:
    file.write_bytes(b"")


def replace_by_another(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE things (name TEXT)")


def orphan(file: Path) -> None:
    with closing(sqlite3.connect(file)) as copy:
        copy.execute("INSERT INTO data_keys VALUES ('nobody', 1, 'kek', NULL, 1)")
        copy.commit()


def remove(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize(
    "damage",
    [cut, overwrite, replace_by_text, empty, replace_by_another, orphan, remove],
    ids=lambda damage: damage.__name__,
)
async def test_a_damaged_backup_is_refused(path: Path, backup: Path, damage: object) -> None:
    assert callable(damage)
    check(backup)
    damage(backup)
    with pytest.raises(StorageError, match=r"backup\.db"), Replacement(path, backup):
        pass
    assert await held_in(path) == ["a", "b"]


def test_a_newer_schema_is_refused(path: Path, backup: Path) -> None:
    database = Database.open(f"sqlite:///{backup}")
    database.submit(run_sql("UPDATE alembic_version SET version_num = '9999'")).result()
    database.close()
    with pytest.raises(StorageError, match="9999"):
        check(backup)


def test_a_running_server_keeps_its_database(path: Path, backup: Path) -> None:
    database = Database.open(f"sqlite:///{path}")
    with pytest.raises(StorageInUse), Replacement(path, backup):
        pass
    database.close()
