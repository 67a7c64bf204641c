"""What is sealed opens in its place, for its account, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llmaas_server.gateway.idempotency import Vault as VaultProtocol
from llmaas_server.gateway.kek import KeychainError
from llmaas_server.gateway.vault import Erased, Vault
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables
from support.databases import ACCOUNT, add_tenant
from support.trails import Safe

CONTEXT = b"users|usr_1|email"


@pytest.fixture
async def safe(database: Database, tmp_path: Path) -> Safe:
    await database.write(add_tenant)
    await database.write(lambda tables: tables.accounts.add(replace(ACCOUNT, id="acc_2")))
    return Safe(database, tmp_path)


async def test_there_and_back(safe: Safe) -> None:
    vault: VaultProtocol = safe.vault
    sealed = await vault.seal("acc_1", CONTEXT, b"plain")
    assert b"plain" not in sealed
    assert await vault.unseal("acc_1", CONTEXT, sealed) == b"plain"
    assert await vault.seal("acc_1", CONTEXT, b"plain") != sealed
    later = Vault(safe.database, safe.keychain, safe.clock)
    assert await later.unseal("acc_1", CONTEXT, sealed) == b"plain"


@pytest.mark.parametrize("account_id", ["acc_1", None], ids=["account", "server"])
async def test_inside_a_unit_of_work(safe: Safe, account_id: str | None) -> None:
    def unit(tables: Tables) -> bytes:
        sealed = safe.vault.seal_within(tables, account_id, CONTEXT, b"plain")
        return safe.vault.unseal_within(tables, account_id, CONTEXT, sealed)

    assert await safe.database.write(unit) == b"plain"


async def test_a_unit_that_is_taken_back_leaves_no_key(safe: Safe) -> None:
    def unit(tables: Tables) -> None:
        safe.vault.seal_within(tables, "acc_1", CONTEXT, b"plain")
        raise ValueError

    with pytest.raises(ValueError):
        await safe.database.write(unit)
    assert not await safe.database.read(lambda tables: tables.data_keys.of_account("acc_1"))
    sealed = await safe.vault.seal("acc_1", CONTEXT, b"plain")
    assert await safe.vault.unseal("acc_1", CONTEXT, sealed) == b"plain"


async def test_in_another_place_it_does_not_open(safe: Safe) -> None:
    sealed = await safe.vault.seal("acc_1", CONTEXT, b"plain")
    await safe.vault.seal("acc_2", CONTEXT, b"plain")
    with pytest.raises(KeychainError, match="changed or moved"):
        await safe.vault.unseal("acc_1", b"users|usr_2|email", sealed)
    with pytest.raises(KeychainError, match="changed or moved"):
        await safe.vault.unseal("acc_2", CONTEXT, sealed)


async def test_every_changed_byte_is_seen(safe: Safe) -> None:
    sealed = await safe.vault.seal("acc_1", CONTEXT, b"plain")
    for where in range(len(sealed)):
        changed = sealed[:where] + bytes([sealed[where] ^ 1]) + sealed[where + 1 :]
        with pytest.raises(KeychainError):
            await safe.vault.unseal("acc_1", CONTEXT, changed)
    for end in range(len(sealed)):
        with pytest.raises(KeychainError):
            await safe.vault.unseal("acc_1", CONTEXT, sealed[:end])


async def test_a_new_data_key_seals_and_older_ones_open(safe: Safe) -> None:
    old = await safe.vault.seal("acc_1", CONTEXT, b"plain")
    assert await safe.database.write(lambda tables: safe.vault.renew(tables, "acc_1")) == 2
    safe.vault.forget("acc_1")
    new = await safe.vault.seal("acc_1", CONTEXT, b"plain")

    def are_current(tables: Tables) -> list[bool]:
        return [safe.vault.is_current(tables, "acc_1", sealed) for sealed in (old, new)]

    assert await safe.database.read(are_current) == [False, True]
    for sealed in (old, new):
        assert await safe.vault.unseal("acc_1", CONTEXT, sealed) == b"plain"


async def test_of_a_destroyed_key_nothing_opens(safe: Safe) -> None:
    sealed = await safe.vault.seal("acc_1", CONTEXT, b"plain")
    await safe.database.write(lambda tables: safe.vault.destroy(tables, "acc_1"))
    safe.vault.forget("acc_1")
    with pytest.raises(Erased):
        await safe.vault.unseal("acc_1", CONTEXT, sealed)
    with pytest.raises(Erased):
        await safe.vault.seal("acc_1", CONTEXT, b"plain")


async def test_an_account_that_never_sealed_gets_no_key_after_its_end(safe: Safe) -> None:
    await safe.database.write(lambda tables: safe.vault.destroy(tables, "acc_1"))
    with pytest.raises(Erased):
        await safe.vault.seal("acc_1", CONTEXT, b"plain")
