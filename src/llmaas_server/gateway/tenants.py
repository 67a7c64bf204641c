"""Finding what is managed: in reach of the one who asks, or not found."""

from __future__ import annotations

from llmaas_server.errors import Problem
from llmaas_server.storage.accounts import AccountRow
from llmaas_server.storage.applications import ApplicationRow
from llmaas_server.storage.keys import KeyRow
from llmaas_server.storage.tables import Tables

from .known import OPERATOR
from .principals import Actor, not_found

ME = "me"
"""Stands for the account of the one who asks."""


def find_account(tables: Tables, actor: Actor, account_id: str | None = None) -> AccountRow:
    """An account; without an id that of the actor, and for commands that of the operator.

    Raises Problem `not_found`: the same for what is another's and for what is not there.
    """
    wanted = actor.account_id if account_id in (None, ME) else account_id
    if wanted is None:
        operators = tables.users.with_role(OPERATOR)
        wanted = operators[0].account_id if operators else ""
    row = tables.accounts.get(wanted) if actor.reaches(wanted) else None
    if row is None:
        raise not_found("account", account_id or ME)
    return row


def find_open_account(tables: Tables, actor: Actor, account_id: str | None = None) -> AccountRow:
    """An account that can have more. Raises Problem `not_found`, `conflict`."""
    row = find_account(tables, actor, account_id)
    if row.status == "closed":
        raise Problem("conflict", f"the account {row.id} is closed")
    return row


def find_application(tables: Tables, actor: Actor, application_id: str) -> ApplicationRow:
    """Raises Problem `not_found`."""
    row = tables.applications.get(application_id)
    if row is None or not actor.reaches(row.account_id):
        raise not_found("application", application_id)
    return row


def find_key(tables: Tables, actor: Actor, key_id: str) -> KeyRow:
    """Raises Problem `not_found`."""
    row = tables.keys.get(key_id)
    if row is None or not actor.reaches(row.account_id):
        raise not_found("key", key_id)
    return row
