"""Callers are known by their keys, and forgotten with them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from llmaas_client.wire.accounts import AccountUpdate
from llmaas_client.wire.applications import ApplicationUpdate
from llmaas_client.wire.keys import KeyUpdate
from llmaas_server.errors import Problem
from llmaas_server.gateway.clock import SECOND
from llmaas_server.gateway.ids import new_id
from llmaas_server.gateway.key_format import mint
from llmaas_server.gateway.keychain import Mac
from llmaas_server.gateway.keyring import FRESH, KeyRing
from llmaas_server.gateway.principals import COMMAND
from llmaas_server.gateway.strangers import PER_MINUTE, Strangers
from llmaas_server.gateway.views import moment
from llmaas_server.storage.tables import Unit
from llmaas_server.storage.usage import DAY
from support.clocks import NOON
from support.databases import run_sql
from support.tenants import House, refused


@pytest.fixture
def reads(house: House, monkeypatch: pytest.MonkeyPatch) -> list[Unit[Any]]:
    """Every look at the database from now on."""
    seen: list[Unit[Any]] = []
    read = house.services.database.read

    async def watched(unit: Unit[Any]) -> Any:
        seen.append(unit)
        return await read(unit)

    monkeypatch.setattr(house.services.database, "read", watched)
    return seen


async def test_who_it_is(house: House) -> None:
    key = await house.key(tasks=["chat"], models=["m"], limits={"concurrency": 3})
    principal = await house.identify(key)
    assert (principal.key_id, principal.kind) == (key.id, "inference")
    assert principal.tenant == key.account_id
    assert principal.payer.owners == principal.owners
    assert "chat" in principal.tasks
    assert "embed" not in principal.tasks
    assert str(principal.models) == "m"
    assert "keys:read" not in principal.actions
    assert principal.limited[0][1].concurrency == 3
    assert key.secret not in repr(principal)


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "Bearer  {} "])
async def test_header(house: House, form: str) -> None:
    key = await house.key()
    principal = await house.services.ring.identify(form.format(key.secret), None)
    assert principal.key_id == key.id


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "missing_key"),
        ("", "missing_key"),
        ("Bearer", "missing_key"),
        ("Bearer ", "missing_key"),
        ("llmaas_sk_x", "missing_key"),
        (f"Basic {mint('inference', 'key_000000000000')}", "invalid_key"),
        ("Bearer llmaas_sk_short", "invalid_key"),
        ("Bearer " + "x" * 100_000, "invalid_key"),
    ],
)
async def test_what_is_no_key_costs_no_look(
    house: House, reads: list[Unit[Any]], header: str | None, code: str
) -> None:
    for _ in range(2 * PER_MINUTE):
        with pytest.raises(Problem) as raised:
            await house.services.ring.identify(header, "192.0.2.1")
        assert raised.value.code == code
    assert not reads


async def test_a_known_key_costs_no_look(house: House, reads: list[Unit[Any]]) -> None:
    key = await house.key()
    await house.identify(key)
    reads.clear()
    for _ in range(10):
        await house.identify(key)
    assert not reads


async def test_many_first_calls_at_once_cost_one_look(house: House, reads: list[Unit[Any]]) -> None:
    """After a start, or a change of the key: they are not taken for strangers."""
    key = await house.key()
    reads.clear()
    found = await asyncio.gather(*(house.identify(key) for _ in range(3 * PER_MINUTE)))
    assert {principal.key_id for principal in found} == {key.id}
    assert len(reads) == 1


async def test_many_calls_at_once_renew_what_is_known_by_one_look(
    house: House, reads: list[Unit[Any]]
) -> None:
    key = await house.key()
    await house.identify(key)
    house.clock.advance(FRESH)
    reads.clear()
    await asyncio.gather(*(house.identify(key) for _ in range(50)))
    assert len(reads) == 1


async def test_a_known_key_costs_microseconds(house: House) -> None:
    key = await house.key()
    await house.identify(key)
    header, ring = f"Bearer {key.secret}", house.services.ring
    best = 1.0
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(20):
            await ring.identify(header, "192.0.2.1")
        best = min(best, (time.perf_counter() - start) / 20)
    assert best < 500e-6


async def test_strangers_learn_nothing(
    house: House, reads: list[Unit[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown id and a known one with a wrong secret: one answer, one look, one hash."""
    hashes: list[str] = []
    check = house.services.keychain.check

    def counted(purpose: str, message: bytes, mac: Mac) -> bool:
        hashes.append(purpose)
        return check(purpose, message, mac)

    monkeypatch.setattr(house.services.keychain, "check", counted)
    remembered, not_yet, revoked = await house.key(), await house.key(), await house.key()
    await house.identify(remembered)
    await house.services.keys.revoke(COMMAND, revoked.id)
    seen = set()
    for key_id in (new_id("key"), not_yet.id, revoked.id):
        reads.clear()
        hashes.clear()
        problem = await refused(house, mint("inference", key_id))
        seen.add((problem.code, problem.message, problem.hint, len(reads), len(hashes)))
    assert len(seen) == 1
    # One that is remembered is looked up as well, though its hash was compared before.
    reads.clear()
    problem = await refused(house, mint("inference", remembered.id))
    assert (problem.code, problem.message, problem.hint, len(reads)) == next(iter(seen))[:4]


async def test_strangers_are_bounded_by_address(house: House, reads: list[Unit[Any]]) -> None:
    ring = KeyRing(
        house.services.database,
        house.services.keychain,
        house.clock,
        Strangers(house.clock, per_minute=3),
    )
    known, good = await house.key(), await house.key()
    await ring.identify(f"Bearer {known.secret}", "192.0.2.1")
    reads.clear()

    async def outcome(key: str, address: str) -> str:
        try:
            await ring.identify(f"Bearer {key}", address)
        except Problem as problem:
            return f"{problem.code} {problem.retry_after or ''}".strip()
        return "in"

    def unknown() -> str:
        return mint("inference", new_id("key"))

    outcomes = [await outcome(unknown(), "192.0.2.1") for _ in range(5)]
    assert outcomes == ["invalid_key"] * 3 + ["rate_limited 20.0"] * 2
    assert len(reads) == 3
    assert await outcome(unknown(), "192.0.2.2") == "invalid_key"
    assert await outcome(known.secret, "192.0.2.1") == "in"
    assert await outcome(good.secret, "192.0.2.1") == "rate_limited 20.0"
    house.clock.advance(20 * SECOND)
    assert await outcome(good.secret, "192.0.2.1") == "in"


async def test_the_other_kind_with_the_same_id_is_unknown(house: House) -> None:
    key = await house.key()
    problem = await refused(house, mint("management", key.id))
    assert problem.code == "invalid_key"


async def test_revoked(house: House) -> None:
    key = await house.key()
    await house.identify(key)
    await house.services.keys.revoke(COMMAND, key.id)
    problem = await refused(house, key.secret)
    assert problem.code == "invalid_key"
    assert problem.message == f"{key.id} was revoked"


async def test_expired(house: House) -> None:
    key = await house.key(expires_at=moment(NOON + 10 * SECOND))
    await house.identify(key)
    house.clock.advance(9 * SECOND)
    await house.identify(key)
    house.clock.advance(SECOND)
    assert "expired" in (await refused(house, key.secret)).message


async def test_suspended_account(house: House) -> None:
    account = await house.account()
    key = await house.key(account)
    await house.identify(key)
    await house.services.accounts.update(COMMAND, account, AccountUpdate(status="suspended"))
    assert "suspended" in (await refused(house, key.secret)).message
    await house.services.accounts.update(COMMAND, account, AccountUpdate(status="active"))
    await house.identify(key)


async def test_suspended_application(house: House) -> None:
    key = await house.key()
    assert key.application_id
    await house.identify(key)
    update = house.services.applications.update
    await update(COMMAND, key.application_id, ApplicationUpdate(status="suspended"))
    assert "suspended" in (await refused(house, key.secret)).message


async def test_changed_scopes_are_seen_at_once(house: House) -> None:
    key = await house.key()
    assert "chat" in (await house.identify(key)).tasks
    await house.services.keys.update(COMMAND, key.id, KeyUpdate(tasks=["embed"]))
    assert "chat" not in (await house.identify(key)).tasks
    assert key.application_id
    update = house.services.applications.update
    await update(COMMAND, key.application_id, ApplicationUpdate(tasks=["chat"]))
    assert str((await house.identify(key)).tasks) == "nothing"


async def test_changes_by_others_are_seen_after_a_while(house: House) -> None:
    key = await house.key()
    await house.identify(key)
    await house.services.database.write(
        run_sql(f"UPDATE keys SET revoked_at = 1 WHERE id = '{key.id}'")
    )
    await house.identify(key)
    house.clock.advance(FRESH)
    assert "revoked" in (await refused(house, key.secret)).message


async def test_a_load_that_a_change_overtook_is_not_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is read, then revoked, and only then does the reader go on."""
    key = await house.key()
    database, has_read, go_on = house.services.database, asyncio.Event(), asyncio.Event()
    read = database.read

    async def slow(unit: Unit[Any]) -> Any:
        result = await read(unit)
        has_read.set()
        await go_on.wait()
        return result

    monkeypatch.setattr(database, "read", slow)
    caller = asyncio.create_task(refused(house, key.secret))
    await has_read.wait()
    monkeypatch.setattr(database, "read", read)
    await house.services.keys.revoke(COMMAND, key.id)
    go_on.set()
    assert "revoked" in (await caller).message
    assert "revoked" in (await refused(house, key.secret)).message


async def test_memory_is_bounded(house: House) -> None:
    services = house.services
    ring = KeyRing(
        services.database, services.keychain, house.clock, Strangers(house.clock), most=2
    )
    keys = [await house.key() for _ in range(4)]
    for key in [*keys, *keys]:
        assert (await ring.identify(f"Bearer {key.secret}", None)).key_id == key.id
    assert len(ring._known) == 2


async def test_the_day_of_the_last_use(house: House) -> None:
    services = house.services
    key, unused = await house.key(), await house.key()
    await house.identify(key)
    assert (await services.keys.show(COMMAND, key.id)).last_used is None
    await services.ring.write_uses()
    assert (await services.keys.show(COMMAND, key.id)).last_used == "2023-11-14"
    assert (await services.keys.show(COMMAND, unused.id)).last_used is None
    house.clock.advance(DAY)
    await house.identify(key)
    await services.ring.write_uses()
    assert (await services.keys.show(COMMAND, key.id)).last_used == "2023-11-15"
