"""Keys that fit open what they closed; others open nothing and change nothing."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmaas_server.gateway import kek, keychain
from llmaas_server.gateway.kek import (
    KeychainError,
    KeyCommand,
    KeyFile,
    KeySource,
    KeyText,
    new_key,
)
from llmaas_server.gateway.keychain import Keychain, Mac, key_source, rotate
from llmaas_server.gateway.vault import Vault
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables
from support.clocks import ManualClock
from support.databases import add_tenant, adding

CLOCK = ManualClock()
SECRET = b"a secret"
CONTEXT = b"users|usr_1|email"


def file_in(home: Path) -> Path:
    return home / kek.FOLDER / kek.FILE_NAME


def test_the_first_start_makes_a_key_for_its_owner_alone(
    database: Database, tmp_path: Path
) -> None:
    opened = Keychain.open(database, key_source(tmp_path), CLOCK)
    file = file_in(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    again = Keychain.open(database, key_source(tmp_path), CLOCK)
    assert again.mac("keys", b"message") == opened.mac("keys", b"message")


def test_hashes(sqlite_database: Database, tmp_path: Path) -> None:
    keys = Keychain.open(sqlite_database, key_source(tmp_path), CLOCK)
    mac = keys.mac("keys", b"message")
    assert keys.check("keys", b"message", mac)
    assert not keys.check("keys", b"massage", mac)
    assert not keys.check("email", b"message", mac)
    assert not keys.check("keys", b"message", Mac(mac.version + 1, mac.digest))
    assert keys.macs("keys", b"message") == (mac,)


def test_a_new_root_key_leaves_older_hashes_good(sqlite_database: Database, tmp_path: Path) -> None:
    before = Keychain.open(sqlite_database, key_source(tmp_path), CLOCK)
    old = before.mac("keys", b"message")
    sqlite_database.submit(lambda tables: before.add_root(tables, 1)).result()
    after = Keychain.open(sqlite_database, key_source(tmp_path), CLOCK)
    new = after.mac("keys", b"message")
    assert (old.version, new.version) == (1, 2)
    assert new.digest != old.digest
    assert after.check("keys", b"message", old)
    assert after.macs("keys", b"message") == (new, old)
    assert len(after.signing_keys()) == 2


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, KeySource]:
    text = new_key().text
    script = f"print({text!r})"
    return {
        "file": key_source(tmp_path),
        "text": key_source(tmp_path, text=text),
        "command": key_source(tmp_path, command=f'{sys.executable} -c "{script}"'),
    }


@pytest.mark.parametrize("kind", ["file", "text", "command"])
def test_the_key_comes_from_where_the_settings_say(
    sqlite_database: Database, tmp_path: Path, sources: dict[str, KeySource], kind: str
) -> None:
    first = Keychain.open(sqlite_database, sources[kind], CLOCK)
    second = Keychain.open(sqlite_database, sources[kind], CLOCK)
    assert first.mac("keys", b"m") == second.mac("keys", b"m")
    assert file_in(tmp_path).exists() == (kind == "file")


def test_two_settings_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(KeychainError, match="keep one"):
        key_source(tmp_path, text="a", command="b")


def everything(tables: Tables) -> list[object]:
    return [*tables.root_keys.all(), *tables.data_keys.of_account("acc_1")]


@pytest.mark.parametrize("wrong", ["another", "none"])
def test_a_wrong_key_is_told_and_changes_nothing(
    database: Database, tmp_path: Path, wrong: str
) -> None:
    Keychain.open(database, key_source(tmp_path), CLOCK)
    before = database.look(everything)
    file = file_in(tmp_path)
    file.unlink()
    if wrong == "another":
        KeyFile(tmp_path).create()
    with pytest.raises(KeychainError, match="the database is encrypted with kek_"):
        Keychain.open(database, key_source(tmp_path), CLOCK)
    assert database.look(everything) == before
    assert file.exists() == (wrong == "another")


def test_a_damaged_root_key_is_told(sqlite_database: Database, tmp_path: Path) -> None:
    Keychain.open(sqlite_database, key_source(tmp_path), CLOCK)

    def damage(tables: Tables) -> None:
        [row] = tables.root_keys.all()
        wrapped = row.wrapped[:-1] + bytes([row.wrapped[-1] ^ 1])
        tables.root_keys.replace(type(row)(row.version, row.wrapped_by, wrapped, row.created_at))

    sqlite_database.submit(damage).result()
    with pytest.raises(KeychainError, match="was damaged or changed"):
        Keychain.open(sqlite_database, key_source(tmp_path), CLOCK)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (KeyText("c2hvcnQ="), "32 bytes in base64"),
        (KeyText("not base64!"), "32 bytes in base64"),
        (KeyText("  "), "holds no key"),
        (KeyCommand("false"), "run it by hand"),
        (KeyCommand("a-command-that-is-nowhere"), "run it by hand"),
        (KeyCommand("'"), "run it by hand"),
        (KeyCommand("true"), "holds no key"),
    ],
)
def test_what_is_no_key(source: KeySource, complaint: str) -> None:
    with pytest.raises(KeychainError, match=complaint):
        source.load()


def test_what_a_command_prints_is_in_no_error() -> None:
    with pytest.raises(KeychainError) as caught:
        KeyCommand(f"{sys.executable} -c \"print('hush'); raise SystemExit(3)\"").load()
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    source = KeyFile(tmp_path)
    source.create()
    file_in(tmp_path).chmod(0o640)
    with pytest.raises(KeychainError, match="chmod 600"):
        source.load()


ACCOUNTS = [f"acc_{number}" for number in range(1, 8)]


async def seal_all(database: Database, keys: Keychain) -> dict[str, bytes]:
    await database.write(add_tenant)
    for name in ACCOUNTS[1:]:
        await database.write(adding(name))
    vault = Vault(database, keys, CLOCK)
    return {name: await vault.seal(name, CONTEXT, SECRET) for name in ACCOUNTS}


async def check_all(database: Database, source: KeySource, sealed: dict[str, bytes]) -> Keychain:
    keys = Keychain.open(database, source, CLOCK)
    vault = Vault(database, keys, CLOCK)
    for name in ACCOUNTS:
        assert await vault.unseal(name, CONTEXT, sealed[name]) == SECRET
    return keys


async def test_rotation_of_a_key_in_a_file(database: Database, tmp_path: Path) -> None:
    source = KeyFile(tmp_path)
    before = Keychain.open(database, source, CLOCK)
    sealed = await seal_all(database, before)
    [old] = source.load()
    rotate(database, source, CLOCK)
    [new] = source.load()
    assert new.id != old.id
    after = await check_all(database, source, sealed)
    assert after.mac("keys", b"m") == before.mac("keys", b"m")
    file_in(tmp_path).write_text(old.text)
    with pytest.raises(KeychainError, match=new.id):
        Keychain.open(database, source, CLOCK)


async def test_rotation_of_a_key_in_a_setting(database: Database) -> None:
    old, new = new_key(), new_key()
    sealed = await seal_all(database, Keychain.open(database, KeyText(old.text), CLOCK))
    await check_all(database, KeyText(f"{new.text}, {old.text}"), sealed)
    await check_all(database, KeyText(new.text), sealed)


async def test_a_setting_is_rotated_by_who_set_it(database: Database) -> None:
    source = KeyText(new_key().text)
    Keychain.open(database, source, CLOCK)
    with pytest.raises(KeychainError, match="put it in front"):
        rotate(database, source, CLOCK)


class Killed(Exception):
    """The process ends here."""


def killing(function: Callable[..., object], at: int) -> Callable[..., object]:
    """The function, whose call number `at` is never made."""
    calls = 0

    def run(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Killed
        return function(*arguments)

    return run


@pytest.mark.parametrize("at", range(1, 8))
@pytest.mark.parametrize("where", ["create", "_rewrap_some", "keep_only"])
async def test_rotation_goes_on_after_a_sudden_end(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, at: int
) -> None:
    source = KeyFile(tmp_path)
    sealed = await seal_all(sqlite_database, Keychain.open(sqlite_database, source, CLOCK))
    [old] = source.load()
    monkeypatch.setattr(keychain, "BATCH", 2)
    owner: object = Keychain if where == "_rewrap_some" else KeyFile
    with monkeypatch.context() as patch:
        patch.setattr(owner, where, killing(getattr(owner, where), at))
        try:
            rotate(sqlite_database, source, CLOCK)
        except Killed:
            # A start finishes what was begun.
            assert len(source.load()) == (1 if where == "create" else 2)
    await check_all(sqlite_database, source, sealed)
    [now] = source.load()
    waiting = sqlite_database.look(lambda tables: tables.data_keys.wrapped_by_others(now.id, 9))
    assert waiting == []
    assert (now.id == old.id) == (where == "create" and at == 1)
