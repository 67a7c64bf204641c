"""What goes into a table comes out of it, on each system."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmaas_server.storage.database import Database
from llmaas_server.storage.failures import NoSuchRow, RowConflict
from llmaas_server.storage.keys import KeyRow
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.values import Limits
from support.databases import ACCOUNT, APPLICATION, KEY
from support.rows import ANSWER, AUDIT, CHECKPOINT, DATA_KEY, PRICE, USER, fill


async def test_rows_go_in_and_out(database: Database) -> None:
    await database.write(fill)

    def check(tables: Tables) -> None:
        assert tables.accounts.get("acc_1") == ACCOUNT
        assert tables.accounts.all() == [ACCOUNT]
        assert tables.applications.get("app_1") == APPLICATION
        assert tables.applications.of_account("acc_1") == [APPLICATION]
        assert tables.keys.get("key_1") == KEY
        assert tables.keys.of_account("acc_1") == [KEY]
        assert tables.keys.of_application("app_1") == [KEY]
        assert tables.users.by_email(b"lookup") == USER
        assert tables.users.of_account("acc_1") == [USER]
        assert tables.data_keys.get("acc_1", 1) == DATA_KEY
        assert tables.prices.all() == [PRICE]
        assert tables.prices.next_id() == 2
        assert tables.answers.get("key_1", b"token") == ANSWER
        assert tables.audit.head() == AUDIT
        assert tables.checkpoints.all() == [CHECKPOINT]

    await database.read(check)


async def test_what_is_not_there(database: Database) -> None:
    def check(tables: Tables) -> None:
        assert tables.accounts.get("acc_1") is None
        assert tables.users.by_email(b"lookup") is None
        assert tables.audit.head() is None
        assert tables.prices.next_id() == 1
        assert tables.budgets.all() == []

    await database.read(check)


async def test_replace_and_remove(database: Database) -> None:
    await database.write(fill)
    changed = replace(ACCOUNT, name="New", status="suspended", limits=Limits(1, 2, 3))
    await database.write(lambda tables: tables.accounts.replace(changed))
    assert await database.read(lambda tables: tables.accounts.get("acc_1")) == changed
    assert await database.write(lambda tables: tables.users.remove("usr_1"))
    assert not await database.write(lambda tables: tables.users.remove("usr_1"))
    with pytest.raises(NoSuchRow):
        await database.write(lambda tables: tables.accounts.replace(replace(ACCOUNT, id="no")))


async def test_an_id_is_taken_once(database: Database) -> None:
    await database.write(fill)
    with pytest.raises(RowConflict):
        await database.write(lambda tables: tables.accounts.add(ACCOUNT))


async def test_a_status_that_is_none(database: Database) -> None:
    odd = replace(ACCOUNT, status="odd")  # type: ignore[arg-type]
    with pytest.raises(RowConflict):
        await database.write(lambda tables: tables.accounts.add(odd))


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(replace(KEY, id="key_2", account_id="acc_2"), id="of nobody"),
        pytest.param(replace(KEY, id="key_2", application_id=None), id="without application"),
    ],
)
async def test_conflicting_keys(database: Database, row: KeyRow) -> None:
    await database.write(fill)
    with pytest.raises(RowConflict):
        await database.write(lambda tables: tables.keys.add(row))


async def test_one_user_per_email(database: Database) -> None:
    await database.write(fill)
    with pytest.raises(RowConflict):
        await database.write(lambda tables: tables.users.add(replace(USER, id="usr_2")))


async def test_days_of_use_never_go_back(database: Database) -> None:
    await database.write(fill)
    seen = []
    for day in (5, 4, 7):
        await database.write(lambda tables, day=day: tables.keys.used(["key_1"], day))  # type: ignore[misc]
        key = await database.read(lambda tables: tables.keys.get("key_1"))
        assert key is not None
        seen.append(key.last_used_day)
    assert seen == [5, 5, 7]


async def test_answers_are_purged_when_their_time_is_over(database: Database) -> None:
    await database.write(fill)
    assert await database.write(lambda tables: tables.answers.purge(99)) == 0
    newer = replace(ANSWER, call_id="call_2", sealed=None, expires_at=200)
    await database.write(lambda tables: tables.answers.keep(newer))
    assert await database.read(lambda tables: tables.answers.get("key_1", b"token")) == newer
    assert await database.write(lambda tables: tables.answers.purge(200)) == 1


async def test_audit_is_read_in_order(database: Database) -> None:
    rows = [replace(AUDIT, seq=seq, account_id=f"acc_{seq % 2}") for seq in range(1, 6)]

    def unit(tables: Tables) -> None:
        for row in rows:
            tables.audit.add(row)

    await database.write(unit)
    assert await database.read(lambda tables: tables.audit.after(2, limit=2)) == rows[2:4]
    mine = await database.read(lambda tables: tables.audit.after(0, 9, account_id="acc_1"))
    assert [row.seq for row in mine] == [1, 3, 5]
    assert await database.read(lambda tables: tables.audit.head()) == rows[-1]


async def test_data_keys_that_wait_for_a_rotation(database: Database) -> None:
    await database.write(fill)
    destroyed = replace(DATA_KEY, version=2, wrapped=None)
    await database.write(lambda tables: tables.data_keys.add(destroyed))
    waiting = await database.read(lambda tables: tables.data_keys.wrapped_by_others("kek_2", 10))
    assert waiting == [DATA_KEY]
    rewrapped = replace(DATA_KEY, wrapped_by="kek_2", wrapped=b"again")
    await database.write(lambda tables: tables.data_keys.replace(rewrapped))
    assert not await database.read(lambda tables: tables.data_keys.wrapped_by_others("kek_2", 10))
