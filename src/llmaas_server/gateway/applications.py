"""Applications: what an account uses the service for, and how far that may go."""

from __future__ import annotations

from dataclasses import replace

from llmaas_client.wire.applications import (
    Application,
    ApplicationCreate,
    ApplicationList,
    ApplicationUpdate,
)
from llmaas_server.errors import Problem
from llmaas_server.storage.applications import ApplicationRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.values import Owner

from . import views
from .clock import Clock
from .ids import new_id
from .keyring import KeyRing
from .principals import Actor
from .scopes import check_tasks
from .tenants import find_account, find_application, find_open_account
from .trail import Trail

MOST = 200
"""Applications of an account that are not closed."""


class Applications:
    def __init__(self, database: Database, ring: KeyRing, trail: Trail, clock: Clock) -> None:
        self._database = database
        self._ring = ring
        self._trail = trail
        self._clock = clock

    async def create(self, actor: Actor, asked: ApplicationCreate) -> Application:
        """Raises Problem `not_found`, `invalid_request`, `conflict`."""
        return await self._database.write(lambda tables: self.create_within(tables, actor, asked))

    def create_within(self, tables: Tables, actor: Actor, asked: ApplicationCreate) -> Application:
        """`create` inside a unit of work."""
        now = self._clock()
        account = find_open_account(tables, actor, asked.account_id)
        there = tables.applications.of_account(account.id)
        if sum(row.status != "closed" for row in there) >= MOST:
            raise Problem("conflict", f"an account has at most {MOST} applications: close some")
        check_tasks(asked.tasks)
        row = ApplicationRow(
            id=new_id("app"),
            account_id=account.id,
            name=asked.name,
            status="active",
            tasks=_maybe(asked.tasks),
            models=_maybe(asked.models),
            limits=views.limits(asked.limits),
            retention=asked.retention,
            created_at=now,
        )
        tables.applications.add(row)
        views.set_budget(tables, Owner("application", row.id), asked.budget, now)
        detail = views.told(asked.model_dump(mode="json", exclude_unset=True))
        self._trail.add(tables, actor.entry("applications.create", row.id, account.id, detail))
        return views.application(tables, row, now)

    async def list(self, actor: Actor, account_id: str | None = None) -> ApplicationList:
        """Those of an account, the oldest first."""

        def unit(tables: Tables) -> ApplicationList:
            account = find_account(tables, actor, account_id)
            rows = tables.applications.of_account(account.id)
            now = self._clock()
            return ApplicationList(
                applications=[views.application(tables, row, now) for row in rows]
            )

        return await self._database.read(unit)

    async def show(self, actor: Actor, application_id: str) -> Application:
        def unit(tables: Tables) -> Application:
            row = find_application(tables, actor, application_id)
            return views.application(tables, row, self._clock())

        return await self._database.read(unit)

    async def update(
        self, actor: Actor, application_id: str, asked: ApplicationUpdate
    ) -> Application:
        """Change what is named. Raises Problem `not_found`, `invalid_request`, `conflict`."""
        changes = asked.model_fields_set
        owner = Owner("application", application_id)

        def unit(tables: Tables) -> Application:
            now = self._clock()
            row = find_application(tables, actor, application_id)
            if row.status == "closed":
                raise Problem("conflict", f"the application {row.id} is closed")
            check_tasks(asked.tasks)
            fresh = _changed(row, asked)
            tables.applications.replace(fresh)
            if "budget" in changes:
                views.set_budget(tables, owner, asked.budget, now)
            detail = views.told(asked.model_dump(mode="json", exclude_unset=True))
            self._trail.add(
                tables, actor.entry("applications.update", row.id, row.account_id, detail)
            )
            return views.application(tables, fresh, now)

        return await self._ring.change(unit, owner)

    async def close(self, actor: Actor, application_id: str) -> Application:
        """End an application for good, with its keys and all that runs for them. What it used
        stays in the ledger. No error where it was closed before."""

        def unit(tables: Tables) -> Application:
            now = self._clock()
            row = find_application(tables, actor, application_id)
            if row.status != "closed":
                row = replace(row, status="closed")
                tables.applications.replace(row)
                for key in tables.keys.of_application(row.id):
                    if key.revoked_at is None:
                        tables.keys.replace(replace(key, revoked_at=now))
                self._trail.add(tables, actor.entry("applications.close", row.id, row.account_id))
            return views.application(tables, row, now)

        return await self._ring.change(unit, Owner("application", application_id))


def _changed(row: ApplicationRow, asked: ApplicationUpdate) -> ApplicationRow:
    changes = asked.model_fields_set
    if asked.name is not None:
        row = replace(row, name=asked.name)
    if asked.status is not None:
        row = replace(row, status=asked.status)
    if asked.retention is not None:
        row = replace(row, retention=asked.retention)
    if "tasks" in changes:
        row = replace(row, tasks=_maybe(asked.tasks))
    if "models" in changes:
        row = replace(row, models=_maybe(asked.models))
    if "limits" in changes:
        row = replace(row, limits=views.limits(asked.limits))
    return row


def _maybe(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)
