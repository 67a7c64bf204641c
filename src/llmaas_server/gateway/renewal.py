"""A new data key for an account, and all that can be written anew is written with it.

Older keys stay for what is never changed: details of the audit trail. Kept answers go by
themselves, within minutes.
"""

from __future__ import annotations

from llmaas_server.storage.tables import Tables

from . import records
from .classifiers import resealed
from .principals import Actor
from .trail import Trail
from .users import Users
from .vault import Sealer

BATCH = 100
"""Records encrypted anew in one transaction."""

FEW = 10
"""Parts of classifiers: they are larger."""

_PARTS = "|"
"""Before what to go on after, once records are done; no id has it."""


class Renewal:
    """Each step is one unit of work. After a sudden end, `step` goes on where it was."""

    def __init__(self, sealer: Sealer, users: Users, trail: Trail) -> None:
        self._sealer = sealer
        self._users = users
        self._trail = trail

    def begin(self, tables: Tables, actor: Actor, account_id: str) -> int:
        """Make the new key; its version. Call `Vault.forget` once it is committed."""
        version = self._sealer.renew(tables, account_id)
        entry = actor.entry("data_keys.renew", str(version), account_id)
        self._trail.add(tables, entry)
        return version

    def step(self, tables: Tables, account_id: str, last_id: str = "") -> str | None:
        """Encrypt some more anew: e-mail first, then records after `last_id`, then classifiers.

        What to go on after; None at the end.
        """
        if last_id.startswith(_PARTS):
            return self._parts(tables, account_id, last_id)
        if not last_id:
            for user in tables.users.of_account(account_id):
                self._users.renew(tables, user)
        rows = tables.records.after(account_id, last_id, 0, BATCH)
        for row in rows:
            if not self._sealer.is_current(tables, account_id, row.sealed):
                records.renew(self._sealer, tables, row)
        return rows[-1].id if rows else _PARTS

    def _parts(self, tables: Tables, account_id: str, last_id: str) -> str | None:
        _, classifier_id, part = f"{last_id}|".split("|")[:3]
        rows = tables.classifier_parts.after(account_id, (classifier_id, part), FEW)
        for row in rows:
            if not self._sealer.is_current(tables, account_id, row.sealed):
                tables.classifier_parts.replace(resealed(self._sealer, tables, row))
        return f"|{rows[-1].classifier_id}|{rows[-1].part}" if rows else None
