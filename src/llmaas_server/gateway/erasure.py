"""The end of an account: nothing of the person stays.

The data keys are destroyed, and with them all that they sealed: e-mail, records, kept answers,
details of the audit trail. E-mail, password, names and records are removed besides. Keys are
revoked. What stays are ids and numbers: the ledger, without which other
bills could not be proved, and the rows of the audit trail, which say that the account was erased.
"""

from __future__ import annotations

from dataclasses import replace

from llmaas_server.errors import Problem
from llmaas_server.storage.database import Database
from llmaas_server.storage.keys import KeyRow
from llmaas_server.storage.tables import Tables, Unit
from llmaas_server.storage.values import Owner

from .clock import Clock
from .keyring import KeyRing
from .known import is_operator
from .principals import Actor, not_found
from .tenants import find_account
from .trail import Trail
from .vault import Vault

ACTION = "accounts.erase"
NO_NAME = "erased"


class Erasure:
    """Erases accounts."""

    def __init__(
        self, database: Database, ring: KeyRing, vault: Vault, trail: Trail, clock: Clock
    ) -> None:
        self._database = database
        self._ring = ring
        self._vault = vault
        self._trail = trail
        self._clock = clock

    async def erase(self, actor: Actor, name: str) -> str:
        """Erase an account, and end what runs for it; its id. There is no way back.

        `name` is the id, or `me`. Raises Problem `not_found`, `conflict` for the account that runs
        the server.
        """
        account = await self._database.read(lambda tables: find_account(tables, actor, name))
        account_id = account.id
        await self._ring.change(self._erasing(actor, account_id), Owner("account", account_id))
        self._vault.forget(account_id)
        return account_id

    def _erasing(self, actor: Actor, account_id: str) -> Unit[None]:
        def unit(tables: Tables) -> None:
            account = tables.accounts.get(account_id)
            if account is None or account.status == "closed":
                raise not_found("account", account_id)
            if is_operator(tables, account_id):
                raise Problem(
                    "conflict",
                    f"{account_id} runs the server",
                    hint="Without it nobody could manage the server; it goes with the home folder.",
                )
            self._vault.destroy(tables, account_id)
            self._trail.add(tables, actor.entry(ACTION, account_id, account_id))
            tables.accounts.replace(replace(account, name=NO_NAME, status="closed"))
            self._close_users(tables, account_id)
            self._close_keys(tables, tables.keys.of_account(account_id))
            for application in tables.applications.of_account(account_id):
                tables.applications.replace(replace(application, name=NO_NAME, status="closed"))
            tables.records.remove_of(account_id)
            tables.classifiers.remove_of(account_id)
            tables.classifier_parts.remove_of(account_id)

        return unit

    def _close_users(self, tables: Tables, account_id: str) -> None:
        for user in tables.users.of_account(account_id):
            nobody = replace(user, email=None, email_lookup=None, password_hash=None)
            tables.users.replace(replace(nobody, status="closed"))

    def _close_keys(self, tables: Tables, keys: list[KeyRow]) -> None:
        for key in keys:
            revoked_at = key.revoked_at or self._clock()
            tables.keys.replace(replace(key, name=NO_NAME, revoked_at=revoked_at))
            tables.answers.remove_of(key.id)
