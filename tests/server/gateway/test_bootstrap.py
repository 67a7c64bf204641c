"""The first start makes an operator, and keys for the user of the machine."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from llmaas_client.wire.credentials import FILE_NAME, Credentials, ServerCredentials
from llmaas_server.gateway.credentials import CredentialsError
from llmaas_server.gateway.principals import COMMAND
from llmaas_server.gateway.services import Services
from llmaas_server.settings import Settings
from llmaas_server.storage.database import url_in
from llmaas_server.storage.failures import StorageInUse
from support.tenants import URL, House, opened

THERE = "http://127.0.0.1:9000"


def credentials(home: Path, url: str = URL) -> ServerCredentials:
    return Credentials.model_validate_json((home / FILE_NAME).read_bytes()).servers[url]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_first_start(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    home.mkdir(parents=True, mode=0o755)
    async with opened(home) as house:
        keys = credentials(home)
        inference = await house.identify(keys.inference_key)
        assert keys.management_key
        management = await house.identify(keys.management_key)
        assert (inference.kind, management.kind) == ("inference", "management")
        assert management.is_operator
        assert str(inference.tasks) == str(inference.models) == str(management.actions) == "all"
        assert len((await house.services.accounts.list(COMMAND)).accounts) == 1
        assert [row.action for row in await house.trail()][:4] == [
            "accounts.create",
            "applications.create",
            "keys.create",
            "keys.create",
        ]
    assert mode_of(home) == 0o700
    assert mode_of(home / FILE_NAME) == 0o600
    secret = keys.inference_key[23:].encode()
    others = [path for path in home.rglob("*") if path.is_file() and path.name != FILE_NAME]
    assert others
    assert not [path for path in others if secret in path.read_bytes()]


async def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        before, rows = (tmp_path / FILE_NAME).read_bytes(), len(await house.trail())
    async with opened(tmp_path) as house:
        assert (tmp_path / FILE_NAME).read_bytes() == before
        assert len(await house.trail()) == rows


async def test_another_address_gets_the_same_keys(house: House) -> None:
    house.services.bootstrap(THERE)
    assert credentials(house.home, THERE) == credentials(house.home)


async def test_lost_credentials_are_made_anew_and_the_old_keys_stay_good(house: House) -> None:
    old = credentials(house.home)
    (house.home / FILE_NAME).unlink()
    house.services.bootstrap(URL)
    new = credentials(house.home)
    assert {old.inference_key, old.management_key}.isdisjoint(new.model_dump().values())
    for key in (old.inference_key, new.inference_key):
        assert await house.identify(key)
    assert len((await house.services.accounts.list(COMMAND)).accounts) == 1


async def test_keys_that_ended_are_made_anew(house: House) -> None:
    old = credentials(house.home)
    ended = await house.identify(old.inference_key)
    await house.services.keys.revoke(COMMAND, ended.key_id)
    house.services.bootstrap(URL)
    new = credentials(house.home)
    assert new.inference_key != old.inference_key
    assert new.management_key == old.management_key


async def test_keys_of_another_database_are_made_anew(house: House, tmp_path: Path) -> None:
    other = tmp_path / "other"
    async with opened(other):
        (other / FILE_NAME).write_bytes((house.home / FILE_NAME).read_bytes())
    async with opened(other) as second:
        assert credentials(other).inference_key != credentials(house.home).inference_key
        assert await second.identify(credentials(other).inference_key)


async def test_keys_of_another_account_are_not_taken(house: House) -> None:
    key = await house.key(await house.account())
    entry = credentials(house.home).model_copy(update={"inference_key": key.secret})
    content = Credentials(servers={URL: entry}).model_dump_json()
    (house.home / FILE_NAME).write_text(content)
    house.services.bootstrap(URL)
    assert credentials(house.home).inference_key != key.secret


async def test_keys_of_an_earlier_form_are_made_anew(house: House) -> None:
    entry = ServerCredentials(inference_key="llmaas_of-an-earlier-version")
    content = Credentials(servers={URL: entry}).model_dump_json(exclude_none=True)
    (house.home / FILE_NAME).write_text(content)
    house.services.bootstrap(URL)
    assert await house.identify(credentials(house.home).inference_key)


async def test_starts_at_once_share_the_keys(house: House) -> None:
    (house.home / FILE_NAME).unlink()
    urls = [f"http://127.0.0.1:{port}" for port in range(9000, 9008)]
    await asyncio.gather(*(asyncio.to_thread(house.services.bootstrap, url) for url in urls))
    assert len({credentials(house.home, url).inference_key for url in urls}) == 1


async def test_damaged_file_is_named_and_kept(house: House) -> None:
    (house.home / FILE_NAME).write_text("{")
    rows = len(await house.trail())
    with pytest.raises(CredentialsError, match=FILE_NAME):
        house.services.bootstrap(URL)
    assert (house.home / FILE_NAME).read_text() == "{"
    assert len(await house.trail()) == rows


async def test_two_servers_do_not_share_a_database(house: House) -> None:
    other = Settings(home=house.home, database_url=url_in(house.home))
    with pytest.raises(StorageInUse, match="in use"):
        Services.open(other)
