"""Accounts: the tenants, each with a user who owns it."""

from __future__ import annotations

from dataclasses import replace

from llmaas_client.wire.accounts import Account, AccountCreate, AccountList, AccountUpdate, Role
from llmaas_client.wire.applications import ApplicationCreate
from llmaas_server.errors import Problem
from llmaas_server.storage.accounts import AccountRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.values import Owner

from . import views
from .applications import Applications
from .clock import Clock
from .ids import new_id
from .keyring import KeyRing
from .known import OPERATOR, is_operator
from .passwords import Passwords
from .principals import EVERYTHING, Actor
from .tenants import find_account
from .trail import Trail
from .users import Users

FIRST_APPLICATION = "default"
"""Every account begins with one application, so that its first key needs nothing else."""

PAGE = 100
MOST_IN_PAGE = 1000


class Accounts:
    def __init__(
        self,
        database: Database,
        ring: KeyRing,
        users: Users,
        applications: Applications,
        passwords: Passwords,
        trail: Trail,
        clock: Clock,
    ) -> None:
        self._database = database
        self._ring = ring
        self._users = users
        self._applications = applications
        self._passwords = passwords
        self._trail = trail
        self._clock = clock

    async def create(self, actor: Actor, asked: AccountCreate) -> Account:
        """Raises Problem `conflict` where the e-mail has an account."""
        hashed = None if asked.password is None else await self._passwords.hash(asked.password)

        def unit(tables: Tables) -> Account:
            if asked.email is not None and self._users.find(tables, asked.email):
                raise Problem("conflict", "this e-mail has an account", param="email")
            row = self.open_within(tables, actor, asked, hashed)
            return views.account(tables, row, self._clock())

        return await self._database.write(unit)

    def open_within(
        self,
        tables: Tables,
        actor: Actor,
        asked: AccountCreate,
        password_hash: str | None,
        role: str = "owner",
    ) -> AccountRow:
        """A new account with its owner and its first application, inside a unit of work."""
        now = self._clock()
        row = AccountRow(new_id("acc"), asked.name, "active", views.limits(asked.limits), now)
        tables.accounts.add(row)
        self._users.add(tables, row.id, role, asked.email, password_hash, now)
        views.set_budget(tables, Owner("account", row.id), asked.budget, now)
        detail = views.told(asked.model_dump(mode="json", exclude_unset=True))
        self._trail.add(tables, actor.entry("accounts.create", row.id, row.id, detail))
        first = ApplicationCreate(name=FIRST_APPLICATION, account_id=row.id)
        self._applications.create_within(tables, replace(actor, account_id=row.id), first)
        return row

    async def list(self, actor: Actor, after: str = "", limit: int = PAGE) -> AccountList:
        """Those that the actor reaches, page by page."""
        limit = max(1, min(limit, MOST_IN_PAGE))

        def unit(tables: Tables) -> AccountList:
            now = self._clock()
            if not actor.is_operator:
                rows = [find_account(tables, actor)]
            else:
                rows = tables.accounts.after(after, limit + 1)
            return AccountList(
                accounts=[views.account(tables, row, now) for row in rows[:limit]],
                next=rows[limit - 1].id if len(rows) > limit else None,
            )

        return await self._database.read(unit)

    async def show(self, actor: Actor, account_id: str) -> Account:
        """`me` is the actor's own. Raises Problem `not_found`."""

        def unit(tables: Tables) -> Account:
            return views.account(tables, find_account(tables, actor, account_id), self._clock())

        return await self._database.read(unit)

    async def update(self, actor: Actor, account_id: str, asked: AccountUpdate) -> Account:
        """Change what is named. All but the name needs `accounts:manage`, and a role all that an
        operator may; an account that runs the server is not suspended, and the first of them stays
        one. Raises Problem `not_found`, `not_allowed`, `conflict`.
        """
        changes = asked.model_fields_set
        if changes - {"name"} and "accounts:manage" not in actor.actions:
            raise Problem(
                "not_allowed",
                "only the operator changes the status, role, limits and budget of accounts",
            )
        if "role" in changes and actor.actions & EVERYTHING != EVERYTHING:
            # Else a key could make an account that may do more than itself.
            raise Problem(
                "not_allowed",
                f"{actor.id} may not do all that an operator may, so it gives nobody the role",
                hint="Use a management key for `*`, or the console.",
                param="role",
            )
        wanted = await self.show(actor, account_id)

        def unit(tables: Tables) -> Account:
            now = self._clock()
            row = find_account(tables, actor, wanted.id)
            _check_open(tables, row, asked)
            fresh = row
            if asked.name is not None:
                fresh = replace(fresh, name=asked.name)
            if asked.status is not None:
                fresh = replace(fresh, status=asked.status)
            if "limits" in changes:
                fresh = replace(fresh, limits=views.limits(asked.limits))
            tables.accounts.replace(fresh)
            if asked.role is not None:
                _give_role(tables, fresh, asked.role)
            if "budget" in changes:
                views.set_budget(tables, Owner("account", row.id), asked.budget, now)
            detail = views.told(asked.model_dump(mode="json", exclude_unset=True))
            self._trail.add(tables, actor.entry("accounts.update", row.id, row.id, detail))
            return views.account(tables, fresh, now)

        return await self._ring.change(unit, Owner("account", wanted.id))


def _give_role(tables: Tables, row: AccountRow, role: Role) -> None:
    """Inside a unit of work. Raises Problem `conflict`."""
    if role == OPERATOR and row.status != "active":
        raise Problem(
            "conflict",
            f"the account {row.id} is {row.status}: it cannot run the server",
            hint="Resume it first.",
            param="role",
        )
    first = tables.users.with_role(OPERATOR)[0]
    if role != OPERATOR and first.account_id == row.id:
        raise Problem(
            "conflict",
            "the account that the server began with stays its operator",
            hint="The keys of the server's own machine are of this account.",
            param="role",
        )
    for user in tables.users.of_account(row.id):
        tables.users.replace(replace(user, role=role))


def _check_open(tables: Tables, row: AccountRow, asked: AccountUpdate) -> None:
    if row.status == "closed":
        raise Problem("conflict", f"the account {row.id} is closed")
    if asked.status == "suspended" and asked.role != "owner" and is_operator(tables, row.id):
        raise Problem("conflict", "the account that runs the server cannot be suspended")
