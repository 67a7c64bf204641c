"""Whatever is changed behind the server's back is found."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from llmaas_server.gateway.anchor import sign
from llmaas_server.gateway.digests import GRACE, HOUR
from llmaas_server.gateway.trail import FIRST, Entry, row_hash
from llmaas_server.gateway.verification import Report
from llmaas_server.storage import schema
from llmaas_server.storage.audit import AuditRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.ledger import LedgerRow
from llmaas_server.storage.tables import Tables
from support.databases import run_sql
from support.trails import CREATED, Safe

CALL = LedgerRow(
    "call_0", "acc_1", "app_1", "key_1", "chat", "m", None, "completed", None,
    10, 0, 5, 100, 0, 50, 40, 1, 2,
)  # fmt: skip
TRIGGERS = ("audit", "audit_checkpoints", "ledger")


class Undo(Exception):
    """Takes a unit of work back."""


@pytest.fixture
async def safe(database: Database, tmp_path: Path) -> Safe:
    return await trail_in(database, tmp_path)


async def trail_in(database: Database, home: Path) -> Safe:
    """A trail of 26 rows with 8 anchored heads, and two digests over a ledger of 12 rows.

    What keeps its rows from being changed is gone: someone can write the database.
    """
    safe = Safe(database, home)
    start = safe.clock.at // HOUR * HOUR
    for number in range(12):
        safe.clock.at = start + number * HOUR // 6
        await safe.add(replace(CREATED, target=f"key_{number}"))
        await database.write(
            lambda tables, number=number: tables.ledger.add(  # type: ignore[misc]
                replace(CALL, id=f"call_{number}", settled_at=safe.clock.at)
            )
        )
        if number == 6:
            safe.clock.advance(GRACE)
            assert await safe.digests.add_due()
    safe.clock.at = start + 2 * HOUR + GRACE
    assert await safe.digests.add_due()
    assert not await safe.digests.add_due()
    for number in range(8):
        await safe.add(Entry("stranger", "unknown", "access.refused", "GET /v1/keys", "refused"))
        await safe.add(*[CREATED] * (number % 2))
        await safe.anchoring.anchor()
    await database.write(drop_triggers)
    return safe


def drop_triggers(tables: Tables) -> None:
    system = tables.audit._connection.dialect.name
    for table in TRIGGERS:
        if system == "postgresql":
            run_sql(f"DROP TRIGGER {table}_append_only ON {table}")(tables)
        else:
            run_sql(f"DROP TRIGGER {table}_no_update")(tables)
            run_sql(f"DROP TRIGGER {table}_no_delete")(tables)


async def verify_with(safe: Safe, tampering: Callable[[Tables], None]) -> Report:
    """What is found after a change that is taken back."""
    found: list[Report] = []

    def unit(tables: Tables) -> None:
        tampering(tables)
        found.append(safe.verifying(tables))
        raise Undo

    with pytest.raises(Undo):
        await safe.database.write(unit)
    return found[0]


def rewrite(tables: Tables, rows: list[AuditRow]) -> None:
    """Put these rows in the place of all, in a chain that fits."""
    run_sql("DELETE FROM audit")(tables)
    previous = FIRST
    for seq, row in enumerate(rows, 1):
        linked = replace(row, seq=seq, previous=previous)
        previous = row_hash(linked)
        tables.audit.add(replace(linked, hash=previous))


def other(chance: random.Random, value: object) -> object:
    if isinstance(value, int):
        return value + chance.choice((-1, 1, 1000))
    if isinstance(value, bytes):
        where = chance.randrange(len(value))
        return value[:where] + bytes([value[where] ^ 1 << chance.randrange(8)]) + value[where + 1 :]
    if isinstance(value, str):
        return value + "x"
    return b"x"


def change_field(tables: Tables, chance: random.Random) -> None:
    row = chance.choice(tables.audit.after(0, 100))
    name = chance.choice([column.name for column in schema.audit.c if column.name != "seq"])
    value = other(chance, getattr(row, name))
    if name == "account_id" and not isinstance(value, str):
        value = "acc_2"
    where = schema.audit.c.seq == row.seq
    tables.audit._connection.execute(schema.audit.update().where(where).values({name: value}))


def renumber(tables: Tables, chance: random.Random) -> None:
    seq = chance.randint(1, 20)
    run_sql(f"UPDATE audit SET seq = {chance.choice((0, -5, 99))} WHERE seq = {seq}")(tables)


def remove(tables: Tables, chance: random.Random) -> None:
    seq = chance.randint(1, tables.audit.count())
    run_sql(f"DELETE FROM audit WHERE seq = {seq}")(tables)


def remove_and_mend(tables: Tables, chance: random.Random) -> None:
    rows = tables.audit.after(0, 100)
    rows.pop(chance.randrange(len(rows)))
    rewrite(tables, rows)


def reorder(tables: Tables, chance: random.Random) -> None:
    rows = tables.audit.after(0, 100)
    first, second = chance.sample(range(len(rows)), 2)
    rows[first], rows[second] = (
        replace(rows[second], seq=rows[first].seq),
        replace(rows[first], seq=rows[second].seq),
    )
    run_sql("DELETE FROM audit")(tables)
    for row in rows:
        tables.audit.add(row)


def insert(tables: Tables, chance: random.Random) -> None:
    rows = tables.audit.after(0, 100)
    rows.insert(chance.randrange(len(rows)), replace(rows[0], actor="forged"))
    rewrite(tables, rows)


def cut_tail(tables: Tables, chance: random.Random) -> None:
    run_sql(f"DELETE FROM audit WHERE seq > {chance.randrange(tables.audit.count())}")(tables)


def cut_all_of_the_tail(tables: Tables, chance: random.Random) -> None:
    last = chance.randrange(tables.audit.count())
    run_sql(f"DELETE FROM audit WHERE seq > {last}")(tables)
    run_sql(f"DELETE FROM audit_checkpoints WHERE seq > {last}")(tables)


def rewrite_all(tables: Tables, chance: random.Random) -> None:
    """A whole chain, with checkpoints that another key signed or none."""
    rows = tables.audit.after(0, 100)
    where = chance.randrange(len(rows))
    rows[where] = replace(rows[where], actor="usr_innocent")
    rewrite(tables, rows)
    run_sql("DELETE FROM audit_checkpoints")(tables)
    head = tables.audit.head()
    assert head is not None
    if chance.random() < 0.5:
        tables.checkpoints.add(sign(Ed25519PrivateKey.generate(), head, head.at))


def change_checkpoint(tables: Tables, chance: random.Random) -> None:
    row = chance.choice(tables.checkpoints.all())
    name = chance.choice(("hash", "at", "signed_by", "signature"))
    columns = schema.audit_checkpoints
    tables.checkpoints._connection.execute(
        columns.update()
        .where(columns.c.seq == row.seq)
        .values({name: other(chance, getattr(row, name))})
    )


def change_ledger(tables: Tables, chance: random.Random) -> None:
    number = chance.randrange(12)
    change = chance.choice(
        (
            f"UPDATE ledger SET cost = cost - 1 WHERE id = 'call_{number}'",
            f"UPDATE ledger SET account_id = 'acc_2' WHERE id = 'call_{number}'",
            f"UPDATE ledger SET settled_at = settled_at + 1 WHERE id = 'call_{number}'",
            f"DELETE FROM ledger WHERE id = 'call_{number}'",
            "INSERT INTO ledger SELECT 'call_x', account_id, application_id, key_id, task, model, "
            "price_id, outcome, code, prompt_tokens, cached_tokens, completion_tokens, cpu_us, "
            "gpu_us, reserved, cost, admitted_at, settled_at FROM ledger "
            f"WHERE id = 'call_{number}'",
        )
    )
    run_sql(change)(tables)


TAMPERINGS = (
    change_field,
    renumber,
    remove,
    remove_and_mend,
    reorder,
    insert,
    cut_tail,
    cut_all_of_the_tail,
    rewrite_all,
    change_checkpoint,
    change_ledger,
)


async def test_what_nobody_touched_is_whole(safe: Safe) -> None:
    report = await safe.verify()
    assert report.flaws == []
    head = await safe.database.read(lambda tables: tables.audit.head())
    assert head is not None
    assert (report.rows, report.anchored) == (head.seq, head.seq)
    assert (report.heads, report.digests) == (8, 2)


async def test_a_thousand_random_tamperings_are_found(
    sqlite_database: Database, tmp_path: Path
) -> None:
    safe = await trail_in(sqlite_database, tmp_path)
    chance = random.Random(20)
    missed = []
    for number in range(1000):
        tampering = TAMPERINGS[number % len(TAMPERINGS)]
        report = await verify_with(safe, lambda tables: tampering(tables, chance))  # noqa: B023
        if report.is_whole:
            missed.append(f"{number}: {tampering.__name__}")
    assert missed == []
    assert (await safe.verify()).is_whole


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda tampering: tampering.__name__)
async def test_each_kind_is_found_on_each_system(
    safe: Safe, tampering: Callable[[Tables, random.Random], None]
) -> None:
    report = await verify_with(safe, lambda tables: tampering(tables, random.Random(3)))
    assert not report.is_whole


async def test_a_file_without_its_last_heads_is_found(safe: Safe) -> None:
    lines = safe.file.path.read_bytes().splitlines(keepends=True)
    safe.file.path.write_bytes(b"".join(lines[:-1]))
    report = await safe.verify()
    assert [flaw.what for flaw in report.flaws] == [
        "the checkpoint is not among the anchored heads"
    ]


async def test_a_head_that_another_key_signed_is_found(safe: Safe) -> None:
    head = await safe.database.read(lambda tables: tables.audit.head())
    assert head is not None
    safe.file.append(sign(Ed25519PrivateKey.generate(), head, 1))
    report = await safe.verify()
    assert [flaw.what for flaw in report.flaws] == [
        "the anchored head is not signed by this server"
    ]


async def test_a_tail_that_grew_again_is_found(safe: Safe) -> None:
    """The server goes on after a cut, and anchors what it has."""
    await safe.database.write(run_sql("DELETE FROM audit WHERE seq > 15"))
    await safe.database.write(run_sql("DELETE FROM audit_checkpoints WHERE seq > 15"))
    await safe.anchoring.start()
    await safe.add(*[CREATED] * 20)
    await safe.anchoring.anchor()
    report = await safe.verify()
    assert "is not what a signed anchored head says" in {flaw.what for flaw in report.flaws}


async def test_rows_that_no_head_covers_yet_are_told(safe: Safe) -> None:
    await safe.add(CREATED)
    report = await safe.verify()
    assert report.is_whole
    assert report.anchored == report.rows - 1
