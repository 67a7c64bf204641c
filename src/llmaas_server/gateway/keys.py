"""Keys: made, listed, changed, rotated, revoked.

A key is shown once, when it is made; what is kept is a keyed hash of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from llmaas_client.wire.keys import CreatedKey, Key, KeyCreate, KeyList, KeyRotate, KeyUpdate
from llmaas_server.errors import Problem
from llmaas_server.storage.applications import ApplicationRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.keys import KeyKind, KeyRow
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.values import Owner, Scopes

from . import key_format, views
from .clock import SECOND, Clock
from .ids import new_id
from .keychain import Keychain, Mac
from .keyring import PURPOSE, KeyRing
from .known import is_operator
from .principals import Actor, actions_of, not_found
from .scopes import check_tasks, check_within, granted
from .tenants import find_account, find_application, find_key, find_open_account
from .trail import Trail

MOST = 1000
"""Keys of an account that are good at the same time."""

DAY = 24 * 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long keys are good where nobody says it."""

    days: int | None = None
    """None is for ever."""
    grace_seconds: int = 24 * 3600
    """Of a key that was rotated."""


class Keys:
    """The service; `KeyRing` is what callers are identified by."""

    def __init__(
        self,
        database: Database,
        keychain: Keychain,
        ring: KeyRing,
        trail: Trail,
        clock: Clock,
        lifetimes: Lifetimes,
    ) -> None:
        self._database = database
        self._keychain = keychain
        self._ring = ring
        self._trail = trail
        self._clock = clock
        self._lifetimes = lifetimes

    async def create(self, actor: Actor, asked: KeyCreate) -> CreatedKey:
        """Raises Problem `not_found`, `not_allowed`, `invalid_request`, `conflict`."""
        return await self._database.write(lambda tables: self.create_within(tables, actor, asked))

    def create_within(self, tables: Tables, actor: Actor, asked: KeyCreate) -> CreatedKey:
        """`create` inside a unit of work."""
        now = self._clock()
        account = find_open_account(tables, actor, asked.account_id)
        there = tables.keys.of_account(account.id)
        if sum(views.status_of(row, now) == "active" for row in there) >= MOST:
            raise Problem("conflict", f"an account has at most {MOST} keys: revoke some")
        application = None
        if asked.kind == "inference":
            application = _application_for(tables, actor, account.id, asked.application_id)
            check_tasks(asked.tasks)
            _check_inference(asked)
            scopes = Scopes(tasks=tuple(asked.tasks), models=tuple(asked.models))
        else:
            _check_management(asked)
            whole = actions_of(is_operator(tables, account.id))
            scopes = Scopes(actions=granted(asked.actions, actor.actions, whole))
        row, secret = self._mint(
            KeyRow(
                id=new_id("key"),
                account_id=account.id,
                application_id=None if application is None else application.id,
                kind=asked.kind,
                name=asked.name,
                mac=b"",
                mac_version=0,
                scopes=scopes,
                limits=views.limits(asked.limits),
                created_at=now,
                expires_at=self._expiry(asked.expires_at, now),
            )
        )
        tables.keys.add(row)
        views.set_budget(tables, Owner("key", row.id), asked.budget, now)
        detail = views.told(asked.model_dump(mode="json", exclude_unset=True))
        self._trail.add(tables, actor.entry("keys.create", row.id, account.id, detail))
        return _created(views.key(tables, row, now), secret)

    async def list(
        self, actor: Actor, account_id: str | None = None, application_id: str | None = None
    ) -> KeyList:
        """The keys of an account, or of one application; the oldest first."""

        def unit(tables: Tables) -> KeyList:
            now = self._clock()
            if application_id is not None:
                application = find_application(tables, actor, application_id)
                rows = tables.keys.of_application(application.id)
            else:
                rows = tables.keys.of_account(find_account(tables, actor, account_id).id)
            return KeyList(keys=[views.key(tables, row, now) for row in rows])

        return await self._database.read(unit)

    async def show(self, actor: Actor, key_id: str) -> Key:
        return await self._database.read(
            lambda tables: views.key(tables, find_key(tables, actor, key_id), self._clock())
        )

    async def update(self, actor: Actor, key_id: str, asked: KeyUpdate) -> Key:
        """Change what is named. Raises Problem as `create`."""
        changes = asked.model_fields_set

        def unit(tables: Tables) -> Key:
            now = self._clock()
            row = find_key(tables, actor, key_id)
            _check_active(row, now)
            for name in changes & {"limits", "budget"}:
                _check_named(row, "inference", name)
            fresh = replace(row, scopes=self._scopes(tables, actor, row, asked))
            if asked.name is not None:
                fresh = replace(fresh, name=asked.name)
            if "limits" in changes:
                fresh = replace(fresh, limits=views.limits(asked.limits))
            tables.keys.replace(fresh)
            if "budget" in changes:
                views.set_budget(tables, Owner("key", key_id), asked.budget, now)
            detail = views.told(asked.model_dump(mode="json", exclude_unset=True))
            self._trail.add(tables, actor.entry("keys.update", key_id, row.account_id, detail))
            return views.key(tables, fresh, now)

        return await self._ring.change(unit, Owner("key", key_id))

    async def rotate(self, actor: Actor, key_id: str, asked: KeyRotate) -> CreatedKey:
        """A new key that may do the same; the old one ends after a grace.

        A budget of the key itself begins anew with the new key. Raises Problem `not_found`,
        `not_allowed`, `conflict`.
        """
        grace = asked.grace_seconds
        if grace is None:
            grace = self._lifetimes.grace_seconds

        def unit(tables: Tables) -> CreatedKey:
            now = self._clock()
            old = find_key(tables, actor, key_id)
            _check_active(old, now)
            check_within(old.scopes.actions, actor.actions)
            lifetime = None if old.expires_at is None else old.expires_at - old.created_at
            row, secret = self._mint(
                replace(
                    old,
                    id=new_id("key"),
                    created_at=now,
                    expires_at=None if lifetime is None else now + lifetime,
                    last_used_day=None,
                    replaces=old.id,
                )
            )
            end = now + grace * SECOND
            tables.keys.add(row)
            tables.keys.replace(
                replace(old, expires_at=end if old.expires_at is None else min(old.expires_at, end))
            )
            for budget in tables.budgets.of([Owner("key", old.id)]):
                tables.budgets.add(replace(budget, owner_id=row.id))
            detail = {"new": row.id, "grace_seconds": grace}
            self._trail.add(tables, actor.entry("keys.rotate", old.id, old.account_id, detail))
            return _created(views.key(tables, row, now), secret)

        return await self._ring.change(unit, Owner("key", key_id))

    async def revoke(self, actor: Actor, key_id: str) -> Key:
        """End a key at once, and all that runs for it. No error where it was revoked before."""

        def unit(tables: Tables) -> Key:
            now = self._clock()
            row = find_key(tables, actor, key_id)
            if row.revoked_at is None:
                row = replace(row, revoked_at=now)
                tables.keys.replace(row)
                self._trail.add(tables, actor.entry("keys.revoke", key_id, row.account_id))
            return views.key(tables, row, now)

        return await self._ring.change(unit, Owner("key", key_id))

    def proves(self, tables: Tables, text: str) -> KeyRow | None:
        """The row of a key that is good, inside a unit of work; None where it is not."""
        parsed = key_format.parse(text)
        row = tables.keys.get(parsed.id) if parsed else None
        if row is None or views.status_of(row, self._clock()) != "active":
            return None
        mac = Mac(row.mac_version, row.mac)
        return row if self._keychain.check(PURPOSE, text.encode(), mac) else None

    def _mint(self, row: KeyRow) -> tuple[KeyRow, str]:
        """The row with the hash of a new secret, and the key with that secret."""
        text = key_format.mint(row.kind, row.id)
        mac = self._keychain.mac(PURPOSE, text.encode())
        return replace(row, mac=mac.digest, mac_version=mac.version), text

    def _expiry(self, asked: datetime | None, now: int) -> int | None:
        if asked is None:
            days = self._lifetimes.days
            return None if days is None else now + days * DAY
        at = views.micros(asked)
        if at <= now:
            raise Problem("invalid_request", "expires_at: it is over", param="expires_at")
        return at

    def _scopes(self, tables: Tables, actor: Actor, row: KeyRow, asked: KeyUpdate) -> Scopes:
        """Those of a key, with the changes that are asked for."""
        scopes = row.scopes
        if asked.actions is not None:
            _check_named(row, "management", "actions")
            whole = actions_of(is_operator(tables, row.account_id))
            scopes = replace(scopes, actions=granted(asked.actions, actor.actions, whole))
        if asked.tasks is not None:
            _check_named(row, "inference", "tasks")
            check_tasks(asked.tasks)
            scopes = replace(scopes, tasks=tuple(asked.tasks))
        if asked.models is not None:
            _check_named(row, "inference", "models")
            scopes = replace(scopes, models=tuple(asked.models))
        return scopes


def _created(key: Key, secret: str) -> CreatedKey:
    return CreatedKey(**dict(key), secret=secret)


def _application_for(
    tables: Tables, actor: Actor, account_id: str, application_id: str | None
) -> ApplicationRow:
    """The one that is named; else the only one that the account has."""
    if application_id is not None:
        row = find_application(tables, actor, application_id)
        if row.account_id != account_id:
            raise not_found("application", application_id)
        if row.status == "closed":
            raise Problem("conflict", f"the application {row.id} is closed")
        return row
    rows = [row for row in tables.applications.of_account(account_id) if row.status == "active"]
    if len(rows) != 1:
        raise Problem(
            "invalid_request",
            f"the account has {len(rows)} active applications: say which one the key is of",
            hint="GET /v1/applications lists them, POST makes one.",
            param="application_id",
        )
    return rows[0]


def _check_management(asked: KeyCreate) -> None:
    """What only inference keys have is an error, not ignored: it would look like a bound."""
    for name in ("application_id", "tasks", "models", "limits", "budget"):
        if name in asked.model_fields_set and getattr(asked, name) is not None:
            raise _not_for("management", name)


def _check_inference(asked: KeyCreate) -> None:
    if asked.actions:
        raise _not_for("inference", "actions")


def _check_named(row: KeyRow, kind: KeyKind, name: str) -> None:
    if row.kind != kind:
        raise _not_for(row.kind, name)


def _not_for(kind: KeyKind, name: str) -> Problem:
    return Problem(
        "invalid_request",
        f"a {kind} key has no {name}",
        hint="Inference keys have tasks and models, management keys have actions.",
        param=name,
    )


def _check_active(row: KeyRow, now: int) -> None:
    status = views.status_of(row, now)
    if status != "active":
        raise Problem("conflict", f"{row.id} is {status}", hint="Make a new key.")
