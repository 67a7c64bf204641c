"""Rows as those who manage see them, and what they send as rows have it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from llmaas_client.wire import limits as wire
from llmaas_client.wire.accounts import Account, Invitation
from llmaas_client.wire.applications import Application
from llmaas_client.wire.keys import Key, KeyStatus
from llmaas_server.storage.accounts import AccountRow
from llmaas_server.storage.applications import ApplicationRow
from llmaas_server.storage.budgets import BudgetRow
from llmaas_server.storage.invitations import InvitationRow
from llmaas_server.storage.keys import KeyRow
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.usage import DAY
from llmaas_server.storage.values import Limits, Owner

from .budget import put, standings, take_away
from .known import is_operator
from .money import from_text, to_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def account(tables: Tables, row: AccountRow, now: int) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        status=row.status,
        role="operator" if is_operator(tables, row.id) else "owner",
        limits=_limits(row.limits),
        budget=_budget(tables, Owner("account", row.id), now),
        created_at=moment(row.created_at),
    )


def application(tables: Tables, row: ApplicationRow, now: int) -> Application:
    return Application(
        id=row.id,
        account_id=row.account_id,
        name=row.name,
        status=row.status,
        tasks=_names(row.tasks),
        models=_names(row.models),
        limits=_limits(row.limits),
        budget=_budget(tables, Owner("application", row.id), now),
        retention=row.retention,
        created_at=moment(row.created_at),
    )


def key(tables: Tables, row: KeyRow, now: int) -> Key:
    last_used = None
    if row.last_used_day is not None:
        last_used = moment(row.last_used_day * DAY).date().isoformat()
    return Key(
        id=row.id,
        name=row.name,
        kind=row.kind,
        status=status_of(row, now),
        account_id=row.account_id,
        application_id=row.application_id,
        tasks=list(row.scopes.tasks),
        models=list(row.scopes.models),
        actions=list(row.scopes.actions),
        limits=_limits(row.limits),
        budget=_budget(tables, Owner("key", row.id), now),
        created_at=moment(row.created_at),
        expires_at=_maybe(row.expires_at),
        revoked_at=_maybe(row.revoked_at),
        last_used=last_used,
        replaces=row.replaces,
    )


def invitation(row: InvitationRow) -> Invitation:
    return Invitation(
        id=row.id,
        created_at=moment(row.created_at),
        expires_at=moment(row.expires_at),
        used_at=_maybe(row.used_at),
    )


def status_of(row: KeyRow, now: int) -> KeyStatus:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "active"


def moment(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def limits(given: wire.Limits | None) -> Limits:
    """No limits where none are given."""
    if given is None:
        return Limits()
    return Limits(given.requests_per_minute, given.tokens_per_minute, given.concurrency)


def set_budget(tables: Tables, owner: Owner, given: wire.Budget | None, now: int) -> None:
    """Inside a unit of work; None takes the budget away."""
    if given is None:
        take_away(tables, owner)
    else:
        amount = from_text(given.amount, param="budget.amount")
        put(tables, BudgetRow(owner.kind, owner.id, given.period, amount), now)


def told(changes: Mapping[str, object]) -> dict[str, object]:
    """What the audit trail keeps of a change: what was asked for, without what is secret."""
    return {name: value for name, value in changes.items() if name not in {"password", "email"}}


def _limits(row: Limits) -> wire.GrantedLimits:
    return wire.GrantedLimits(
        requests_per_minute=row.requests_per_minute,
        tokens_per_minute=row.tokens_per_minute,
        concurrency=row.concurrency,
    )


def _budget(tables: Tables, owner: Owner, now: int) -> wire.BudgetStanding | None:
    found = standings(tables, [owner], now)
    if not found:
        return None
    standing = found[0]
    return wire.BudgetStanding(
        period=standing.budget.period,
        amount=to_text(standing.budget.amount),
        spent=to_text(standing.spent),
        reserved=to_text(standing.reserved),
        left=to_text(standing.left),
        ends_at=_maybe(standing.window.ends_at),
    )


def _names(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


def _maybe(micros: int | None) -> datetime | None:
    return None if micros is None else moment(micros)
