"""All that belongs to an account, as one JSON document, made piece by piece.

Each piece is one read of the database, so that a large account holds up nobody. Left out are the
hashes of keys and passwords, which say nothing to their owner, and answers kept for some minutes
for requests that are sent again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import msgspec

from llmaas_server.storage.accounts import AccountRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.values import Owner

from .classifiers import Classifiers
from .principals import Actor
from .records import Records
from .tenants import find_account
from .trail import Trail
from .users import Users

BATCH = 250

Page = tuple[list[dict[str, Any]], Any]
"""Some entries, and after what to go on."""


class Export:
    """Writes down what an account has."""

    def __init__(
        self,
        database: Database,
        users: Users,
        records: Records,
        classifiers: Classifiers,
        trail: Trail,
    ) -> None:
        self._database = database
        self._users = users
        self._records = records
        self._contents = classifiers
        self._trail = trail

    async def account(self, actor: Actor, name: str) -> AsyncGenerator[bytes]:
        """The pieces of the document; that it was made is in the audit trail.

        `name` is the id of the account, or `me`. Moments are in microseconds since 1970 UTC, money
        in nano-units. Raises Problem `not_found` before the first piece.
        """
        account = await self._database.read(lambda tables: find_account(tables, actor, name))
        account_id = account.id
        head = await self._database.read(lambda tables: self._head(tables, account))
        entry = actor.entry("accounts.export", account_id, account_id)
        await self._database.write(lambda tables: self._trail.add(tables, entry))
        yield msgspec.json.encode(head).removesuffix(b"}")
        for part, page in (
            ("ledger", self._ledger),
            ("audit", self._audit),
            ("records", self._kept),
            ("classifiers", self._classifiers),
        ):
            yield b',"' + part.encode() + b'":['
            async for piece in self._pages(account_id, page):
                yield piece
            yield b"]"
        yield b"}\n"

    async def _pages(
        self, account_id: str, page: Callable[[str, Any, Tables], Page]
    ) -> AsyncIterator[bytes]:
        after: Any = None
        comma = b""
        while True:
            entries, after = await self._database.read(partial(page, account_id, after))
            if not entries:
                return
            yield comma + b",".join(msgspec.json.encode(entry) for entry in entries)
            comma = b","

    def _head(self, tables: Tables, account: AccountRow) -> dict[str, Any]:
        account_id = account.id
        applications = tables.applications.of_account(account_id)
        keys = tables.keys.of_account(account_id)
        owners = [
            Owner("account", account_id),
            *(Owner("application", one.id) for one in applications),
            *(Owner("key", one.id) for one in keys),
        ]
        return {
            "account": asdict(account),
            "users": [
                _without(asdict(user), "password_hash", "email_lookup")
                | {"email": self._users.email(tables, user)}
                for user in tables.users.of_account(account_id)
            ],
            "applications": [asdict(application) for application in applications],
            "keys": [_without(asdict(key), "mac", "mac_version") for key in keys],
            "budgets": [asdict(row) for row in tables.budgets.of(owners)],
        }

    def _ledger(self, account_id: str, after: Any, tables: Tables) -> Page:
        rows = tables.ledger.of_account(account_id, after, BATCH)
        last = rows[-1] if rows else None
        return [asdict(row) for row in rows], last and (last.admitted_at, last.id)

    def _audit(self, account_id: str, after: Any, tables: Tables) -> Page:
        rows = tables.audit.after(after or 0, BATCH, account_id)
        entries = [
            _without(asdict(row), "address", "previous", "hash")
            | {"detail": self._trail.detail(tables, row)}
            for row in rows
        ]
        return entries, rows[-1].seq if rows else None

    def _kept(self, account_id: str, after: Any, tables: Tables) -> Page:
        rows = tables.records.after(account_id, after or "", 0, BATCH)
        entries = []
        for row in rows:
            record = self._records.open_within(tables, row)
            entries.append(
                _without(asdict(row), "sealed")
                | {"request": msgspec.Raw(record.request), "answer": msgspec.Raw(record.answer)}
            )
        return entries, rows[-1].id if rows else None

    def _classifiers(self, account_id: str, after: Any, tables: Tables) -> Page:
        rows = tables.classifiers.after(account_id, after or "", 1)
        entries = [asdict(row) | self._contents.export_within(tables, row) for row in rows]
        return entries, rows[-1].id if rows else None


def _without(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in names}
