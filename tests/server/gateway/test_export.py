"""An account can be taken away whole, and erased whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmaas_server.errors import Problem
from llmaas_server.gateway import export, renewal
from llmaas_server.gateway.classifiers import Classifiers
from llmaas_server.gateway.erasure import Erasure
from llmaas_server.gateway.export import Export
from llmaas_server.gateway.keyring import KeyRing
from llmaas_server.gateway.principals import COMMAND, Actor
from llmaas_server.gateway.renewal import Renewal
from llmaas_server.gateway.strangers import Strangers
from llmaas_server.gateway.users import Users
from llmaas_server.gateway.vault import Erased
from llmaas_server.storage.answers import AnswerRow
from llmaas_server.storage.budgets import BudgetRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.ledger import LedgerRow
from llmaas_server.storage.tables import Tables
from support.databases import ACCOUNT, KEY, PAYER, add_tenant
from support.trails import CREATED, Safe

CALL = LedgerRow(
    "call_1", "acc_1", "app_1", "key_1", "chat", "m", None, "completed", None,
    10, 0, 5, 100, 0, 50, 40, 1, 2,
)  # fmt: skip
OWNER = Actor("key", "key_9", "acc_1")
OTHER = Actor("key", "key_8", "acc_2")


class Tenant(Safe):
    """An account that has something of everything."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.users = Users(self.keychain, self.vault)
        classifiers = Classifiers(self.database, self.vault, self.trail, self.clock)
        self.export = Export(self.database, self.users, self.records, classifiers, self.trail)
        self.renewal = Renewal(self.vault, self.users, self.trail)
        ring = KeyRing(self.database, self.keychain, self.clock, Strangers(self.clock))
        self.erasure = Erasure(self.database, ring, self.vault, self.trail, self.clock)

    async def fill(self) -> None:
        def unit(tables: Tables) -> None:
            add_tenant(tables)
            tables.accounts.add(replace(ACCOUNT, id="acc_2"))
            self.users.add(tables, "acc_1", "owner", "ada@example.org", "$argon2id$hash", 1)
            tables.budgets.add(BudgetRow("account", "acc_1", "day", 1000))
            for number in range(5):
                tables.ledger.add(replace(CALL, id=f"call_{number}", admitted_at=number // 2))
            tables.ledger.add(replace(CALL, id="call_x", account_id="acc_2"))
            tables.answers.add(AnswerRow("key_1", b"token", b"request", "call_1", b"sealed", 2**60))

        await self.database.write(unit)
        await self.add(*[replace(CREATED, detail={"name": "a telling name"})] * 3)
        for number in range(5):
            keeping = await self.records.keeping(
                f"call_{number}", PAYER, "chat", "m", b'{"text": "prompt"}', b'{"text": "answer"}'
            )
            await self.database.write(keeping)

    async def document(self, actor: Actor = OWNER, account_id: str = "acc_1") -> dict[str, Any]:
        pieces: AsyncIterator[bytes] = self.export.account(actor, account_id)
        document: dict[str, Any] = json.loads(b"".join([piece async for piece in pieces]))
        return document


@pytest.fixture
async def tenant(database: Database, tmp_path: Path) -> Tenant:
    tenant = Tenant(database, tmp_path)
    await tenant.fill()
    return tenant


@pytest.mark.parametrize("batch", [1, 2, 250])
async def test_all_that_an_account_has(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(export, "BATCH", batch)
    document = await tenant.document()
    assert document["account"]["name"] == ACCOUNT.name
    assert [user["email"] for user in document["users"]] == ["ada@example.org"]
    assert [one["id"] for one in document["applications"]] == ["app_1"]
    assert [one["id"] for one in document["keys"]] == [KEY.id]
    assert [one["amount"] for one in document["budgets"]] == [1000]
    calls = [f"call_{number}" for number in range(5)]
    assert [row["id"] for row in document["ledger"]] == calls
    assert [row["id"] for row in document["records"]] == calls
    assert document["records"][0]["request"] == {"text": "prompt"}
    assert [row["detail"] for row in document["audit"][:3]] == [{"name": "a telling name"}] * 3
    assert document["audit"][-1]["action"] == "accounts.export"


async def test_no_hash_leaves(tenant: Tenant) -> None:
    text = json.dumps(await tenant.document())
    assert not {"argon2id", "password_hash", "mac", "email_lookup"} & set(text.split('"'))


async def test_another_account_has_no_reach(tenant: Tenant) -> None:
    with pytest.raises(Problem, match="no account"):
        await tenant.document(OTHER)
    with pytest.raises(Problem, match="no account"):
        await tenant.erasure.erase(OTHER, "acc_1")
    assert (await tenant.document(COMMAND))["account"]["status"] == "active"


async def test_one_s_own_is_me(tenant: Tenant) -> None:
    assert (await tenant.document(OWNER, "me"))["account"]["id"] == "acc_1"
    assert await tenant.erasure.erase(OWNER, "me") == "acc_1"


async def test_an_erased_account_is_of_nobody(tenant: Tenant) -> None:
    await tenant.erasure.erase(OWNER, "acc_1")
    document = await tenant.document(COMMAND)
    assert (document["account"]["name"], document["account"]["status"]) == ("erased", "closed")
    assert [(user["email"], user["status"]) for user in document["users"]] == [(None, "closed")]
    assert {key["revoked_at"] for key in document["keys"]} == {tenant.clock.at}
    assert {one["name"] for one in document["keys"] + document["applications"]} == {"erased"}
    assert document["records"] == []
    assert {row["detail"] is None for row in document["audit"]} == {True}
    assert [row["cost"] for row in document["ledger"]] == [40] * 5
    with pytest.raises(Erased):
        await tenant.vault.seal("acc_1", b"context", b"plain")

    def left(tables: Tables) -> list[object]:
        keys = [row.wrapped for row in tables.data_keys.of_account("acc_1")]
        return [*keys, tables.answers.get("key_1", b"token")]

    assert await tenant.database.read(left) == [None, None]
    assert "accounts.erase" in [row.action for row in await tenant.entries()]
    assert (await tenant.verify()).is_whole


async def test_an_erased_e_mail_is_free_again(tenant: Tenant) -> None:
    await tenant.erasure.erase(OWNER, "acc_1")

    def unit(tables: Tables) -> str | None:
        assert tenant.users.find(tables, "ada@example.org") is None
        added = tenant.users.add(tables, "acc_2", "owner", "Ada@example.org", None, 1)
        return tenant.users.email(tables, added)

    assert await tenant.database.write(unit) == "ada@example.org"


async def test_erased_once(tenant: Tenant) -> None:
    await tenant.erasure.erase(OWNER, "acc_1")
    with pytest.raises(Problem, match="no account"):
        await tenant.erasure.erase(OWNER, "acc_1")


async def test_who_runs_the_server_stays(tenant: Tenant) -> None:
    await tenant.database.write(
        lambda tables: tenant.users.add(tables, "acc_2", "operator", None, None, 1)
    )
    with pytest.raises(Problem, match="runs the server"):
        await tenant.erasure.erase(COMMAND, "acc_2")


async def test_a_new_data_key_takes_over(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "BATCH", 2)
    before = await tenant.document()
    begin = tenant.renewal.begin
    assert await tenant.database.write(lambda tables: begin(tables, COMMAND, "acc_1")) == 2
    tenant.vault.forget("acc_1")
    last: str | None = ""
    steps = 0
    while last is not None:
        last = await tenant.database.write(
            lambda tables, last=last: tenant.renewal.step(tables, "acc_1", last)  # type: ignore[misc]
        )
        steps += 1
    assert steps == 5  # three of records, one that has none left, and one of classifiers

    def are_current(tables: Tables) -> set[bool]:
        [user] = tables.users.of_account("acc_1")
        assert user.email is not None
        sealed = [row.sealed for row in tables.records.after("acc_1", "", 0, 99)]
        return {tenant.vault.is_current(tables, "acc_1", one) for one in (*sealed, user.email)}

    assert await tenant.database.read(are_current) == {True}
    after = await tenant.document()
    for part in ("users", "records"):
        assert after[part] == before[part]
    assert [row["action"] for row in after["audit"]][-2:] == ["data_keys.renew", "accounts.export"]
    assert after["audit"][0]["detail"] == {"name": "a telling name"}
