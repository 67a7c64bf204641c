"""What is known of a key that exists: what it may do, and whether it is still good."""

from __future__ import annotations

from dataclasses import dataclass

from llmaas_server.errors import Problem
from llmaas_server.storage.accounts import AccountRow
from llmaas_server.storage.applications import ApplicationRow
from llmaas_server.storage.keys import KeyRow
from llmaas_server.storage.tables import Tables, Unit
from llmaas_server.storage.values import Owner

from .keychain import Mac
from .leases import expired
from .principals import NOTHING, Permit, Principal, actions_of

OPERATOR = "operator"
"""The role of a user whose account runs the server."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that is decided by, as it was in the database at one moment."""

    principal: Principal
    mac: Mac
    ended: str | None
    """Why the key is good no more; None where it is."""
    used_day: int
    """The last one that is written down, in days since 1970 UTC; -1 where there is none."""
    loaded_at: int

    def check(self, now: int) -> None:
        """Raises Problem `invalid_key` where the key has ended. Only one who has the whole key
        hears it."""
        if self.ended is not None:
            raise Problem("invalid_key", self.ended, hint="Use another key.")
        expires_at = self.principal.expires_at
        if expires_at is not None and expires_at <= now:
            raise expired(self.principal.key_id)


def reading(key_id: str, now: int) -> Unit[Known | None]:
    """Reads a key with what it belongs to; None where there is no such key."""

    def unit(tables: Tables) -> Known | None:
        key = tables.keys.get(key_id)
        if key is None:
            return None
        account = tables.accounts.get(key.account_id)
        assert account is not None  # the database holds them together
        application = None
        if key.application_id is not None:
            application = tables.applications.get(key.application_id)
        return Known(
            _principal(key, application, account, is_operator(tables, account.id)),
            Mac(key.mac_version, key.mac),
            _ended(key, application, account),
            -1 if key.last_used_day is None else key.last_used_day,
            now,
        )

    return unit


def is_operator(tables: Tables, account_id: str) -> bool:
    """Whether the account runs the server."""
    return any(user.role == OPERATOR for user in tables.users.of_account(account_id))


def _principal(
    key: KeyRow, application: ApplicationRow | None, account: AccountRow, operates: bool
) -> Principal:
    """No key may do more than its application and its account."""
    limited = [(Owner("key", key.id), key.limits)]
    if application is not None:
        limited.append((Owner("application", application.id), application.limits))
    limited.append((Owner("account", account.id), account.limits))
    tasks = models = actions = NOTHING
    if key.kind == "management":
        actions = Permit.of(key.scopes.actions) & actions_of(operates)
    elif application is not None:
        tasks = Permit.of(key.scopes.tasks) & Permit.of(application.tasks)
        models = Permit.of(key.scopes.models) & Permit.of(application.models)
    return Principal(
        key_id=key.id,
        kind=key.kind,
        account_id=account.id,
        application_id=key.application_id,
        tasks=tasks,
        models=models,
        actions=actions,
        is_operator=operates,
        limited=tuple(limited),
        retention=application is not None and application.retention,
        expires_at=key.expires_at,
    )


def _ended(key: KeyRow, application: ApplicationRow | None, account: AccountRow) -> str | None:
    if key.revoked_at is not None:
        return f"{key.id} was revoked"
    if account.status != "active":
        return f"the account {account.id} is {account.status}"
    if application is not None and application.status != "active":
        return f"the application {application.id} is {application.status}"
    return None
