"""What is kept of classifiers is sealed, renewed with the account's key, and erased with it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from llmaas_client.wire.classify import ClassifyRequest
from llmaas_server.errors import Problem
from llmaas_server.gateway import classifiers
from llmaas_server.gateway.principals import COMMAND
from llmaas_server.gateway.renewal import Renewal
from llmaas_server.seam import heads
from support.cards import card
from support.tenants import House, opened

FILE = heads.write(heads.Head(card(), struct.pack("<6f", 1, 2, 3, 4, 5, 6)))
EXAMPLES = b'{"examples":{"good":["a secret text"]}}'


async def keep(house: House, account_id: str, name: str = "mine") -> int:
    kept = await house.services.classifiers.keep(
        COMMAND, account_id, name, FILE, EXAMPLES, "classifiers.create"
    )
    return kept.version


def bytes_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_nothing_lies_open_in_the_database(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        await keep(house, await house.account())
    content = bytes_below(tmp_path)
    assert b"mine" in content
    for secret in (b"a secret text", b"llmaas.classifier.1", FILE[-24:]):
        assert secret not in content


async def test_a_new_data_key_seals_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as house:
        services, account = house.services, await house.account()
        await keep(house, account)
        monkeypatch.setattr("llmaas_server.gateway.renewal.FEW", 2)
        renewal = Renewal(services.vault, services.users, services.trail)
        await services.database.write(lambda tables: renewal.begin(tables, COMMAND, account))
        services.vault.forget(account)
        last: str | None = ""
        while last is not None:
            last = await services.database.write(
                lambda tables, last=last: renewal.step(tables, account, last)  # type: ignore[misc]
            )

        parts = await services.database.read(
            lambda tables: tables.classifier_parts.after(account, ("", ""), 10)
        )
        assert [part.part for part in parts] == ["card", "examples", "head"]
        current = await services.database.write(
            lambda tables: [
                services.vault.is_current(tables, account, part.sealed) for part in parts
            ]
        )
        assert current == [True] * 3
        assert (await services.classifiers.get(account, "mine")).card == card()
        _, attached = await services.classifiers.applied(
            account, ClassifyRequest(text="x", classifier="mine"), "mine"
        )
        assert attached.content == FILE


async def test_an_erased_account_has_none(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        services, account = house.services, await house.account()
        await keep(house, account)
        await services.classifiers.file(account, "mine")
        await services.erasure.erase(COMMAND, account)
        with pytest.raises(Problem, match="no classifier"):
            await services.classifiers.file(account, "mine")
        left = await services.database.read(
            lambda tables: tables.classifier_parts.after(account, ("", ""), 10)
        )
        assert left == []


async def test_an_account_has_room_for_so_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifiers, "MOST", 2)
    async with opened(tmp_path) as house:
        account, other = await house.account(), await house.account("b")
        assert [await keep(house, account), await keep(house, account)] == [1, 2]
        with pytest.raises(Problem, match="has 2 versions") as caught:
            await keep(house, account, "another")
        assert caught.value.code == "conflict"
        assert await keep(house, other) == 1
