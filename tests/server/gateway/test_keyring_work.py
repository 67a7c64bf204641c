"""What runs for a key ends with the key."""

from __future__ import annotations

import asyncio

import pytest

from llmaas_client.wire.accounts import AccountUpdate
from llmaas_client.wire.keys import KeyRotate
from llmaas_server.errors import Problem
from llmaas_server.gateway.clock import SECOND
from llmaas_server.gateway.principals import COMMAND
from llmaas_server.gateway.views import moment
from support.clocks import NOON
from support.databases import run_sql
from support.tenants import House, refused


async def working(house: House, key: str, started: asyncio.Event) -> str:
    """Work until it is stopped; what was said then."""
    principal = await house.identify(key)
    try:
        async with house.services.ring.holding(principal):
            started.set()
            await asyncio.Event().wait()
    except Problem as problem:
        return f"{problem.code}: {problem.message}"
    return "ended"


async def start_working(house: House, key: str) -> asyncio.Task[str]:
    started = asyncio.Event()
    task = asyncio.create_task(working(house, key, started))
    await started.wait()
    return task


@pytest.mark.parametrize("how", ["revoke", "rotate", "application", "account"])
async def test_what_runs_ends_with_its_key(house: House, how: str) -> None:
    services = house.services
    account = await house.account()
    key, other = await house.key(account), await house.key()
    assert key.application_id
    work, others = await start_working(house, key.secret), await start_working(house, other.secret)
    match how:
        case "revoke":
            await services.keys.revoke(COMMAND, key.id)
        case "rotate":
            await services.keys.rotate(COMMAND, key.id, KeyRotate(grace_seconds=0))
        case "application":
            await services.applications.close(COMMAND, key.application_id)
        case "account":
            suspended = AccountUpdate(status="suspended")
            await services.accounts.update(COMMAND, account, suspended)
    # The change has ended it before it returned; these turns let the task say so.
    for _ in range(5):
        await asyncio.sleep(0)
    assert work.done()
    assert work.result().startswith("invalid_key: ")
    assert not others.done()
    assert len(services.ring.leases) == 1
    others.cancel()


async def test_what_runs_ends_when_its_key_expires(house: House) -> None:
    key = await house.key(expires_at=moment(NOON + SECOND))
    house.clock.advance(SECOND - 20_000)
    work = await start_working(house, key.secret)
    assert "expired" in await asyncio.wait_for(work, 5)


async def test_what_runs_ends_with_a_key_that_got_an_earlier_end(house: House) -> None:
    key = await house.key()
    work = await start_working(house, key.secret)
    await house.services.keys.rotate(COMMAND, key.id, KeyRotate(grace_seconds=1))
    assert not work.done()
    assert "expired" in await asyncio.wait_for(work, 5)


async def test_work_does_not_begin_for_a_key_that_has_ended(house: House) -> None:
    """It was good when the caller was identified."""
    key = await house.key()
    principal = await house.identify(key)
    await house.services.keys.revoke(COMMAND, key.id)
    with pytest.raises(Problem, match="revoked"):
        async with house.services.ring.holding(principal):
            raise AssertionError("it began")


async def test_a_caller_who_goes_away_is_cancelled_as_ever(house: House) -> None:
    key = await house.key()
    work = await start_working(house, key.secret)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert len(house.services.ring.leases) == 0


async def test_a_revocation_whose_caller_went_away_is_seen(house: House) -> None:
    key = await house.key()
    work = await start_working(house, key.secret)
    revoking = asyncio.create_task(house.services.keys.revoke(COMMAND, key.id))
    await asyncio.sleep(0)
    revoking.cancel()
    assert "revoked" in await asyncio.wait_for(work, 5)
    assert "revoked" in (await refused(house, key.secret)).message


async def test_refresh_ends_what_others_have_revoked(house: House) -> None:
    key = await house.key()
    work = await start_working(house, key.secret)
    await house.services.database.write(
        run_sql(f"UPDATE keys SET revoked_at = 1 WHERE id = '{key.id}'")
    )
    await house.services.ring.refresh()
    assert "revoked" in await work
