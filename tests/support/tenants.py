"""The services of a server, with a clock that the test moves, and two accounts with their keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llmaas_client.wire.accounts import AccountCreate
from llmaas_client.wire.keys import ANY, CreatedKey, KeyCreate
from llmaas_server.errors import Problem
from llmaas_server.gateway.keychain import Keychain, key_source
from llmaas_server.gateway.passwords import Passwords
from llmaas_server.gateway.principals import COMMAND, Actor, Principal
from llmaas_server.gateway.services import Services
from llmaas_server.settings import Settings
from llmaas_server.storage.audit import AuditRow
from llmaas_server.storage.database import Database, url_in
from support.clocks import ManualClock

URL = "http://127.0.0.1:8000"


@dataclass
class House:
    """A server without HTTP."""

    services: Services
    clock: ManualClock
    home: Path

    async def account(self, name: str = "a") -> str:
        """The id of a new account."""
        return (await self.services.accounts.create(COMMAND, AccountCreate(name=name))).id

    async def key(self, account_id: str | None = None, **fields: Any) -> CreatedKey:
        """A new key; by default an inference key of the operator's account."""
        asked = KeyCreate.model_validate({"name": "k", "account_id": account_id} | fields)
        return await self.services.keys.create(COMMAND, asked)

    async def identify(self, key: CreatedKey | str, address: str = "192.0.2.1") -> Principal:
        text = key if isinstance(key, str) else key.secret
        return await self.services.ring.identify(f"Bearer {text}", address)

    async def actor(self, account_id: str, *actions: str) -> Actor:
        """One who manages an account by a key; with all actions where none are named."""
        key = await self.key(account_id, kind="management", actions=list(actions) or [ANY])
        return Actor.of(await self.identify(key), "192.0.2.1")

    async def trail(self) -> list[AuditRow]:
        return await self.services.database.read(lambda tables: tables.audit.after(0, 10_000))


@asynccontextmanager
async def opened(home: Path, **settings: Any) -> AsyncIterator[House]:
    clock = ManualClock()
    chosen = Settings(home=home, **settings)
    database = Database.open(url_in(home))
    keychain = Keychain.open(database, key_source(home), clock)
    services = Services(
        chosen, database, keychain, clock, passwords=Passwords(memory_kib=64, passes=1)
    )
    services.bootstrap(URL)
    await services.start()
    try:
        yield House(services, clock, home)
    finally:
        await services.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path) as house:
        yield house


async def refused(house: House, key: str) -> Problem:
    """What one hears who shows this key."""
    with pytest.raises(Problem) as raised:
        await house.identify(key)
    return raised.value
