"""Invitations: a token that lets one person register, once, for some days."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace

from llmaas_client.wire.accounts import (
    CreatedInvitation,
    Invitation,
    InvitationCreate,
    InvitationList,
)
from llmaas_server.storage.database import Database
from llmaas_server.storage.invitations import InvitationRow
from llmaas_server.storage.tables import Tables

from . import views
from .clock import SECOND, Clock
from .ids import new_id
from .keychain import Keychain, Mac
from .principals import Actor, not_found
from .trail import Trail

PURPOSE = "invitations"
DAY = 24 * 3600 * SECOND
KEEP = 90 * DAY
"""How long it is remembered who was invited, after the invitation ended."""

_FORM = re.compile(r"(inv_[0-9a-z]{12})\.[A-Za-z0-9_-]{43}")


class Invitations:
    def __init__(self, database: Database, keychain: Keychain, trail: Trail, clock: Clock) -> None:
        self._database = database
        self._keychain = keychain
        self._trail = trail
        self._clock = clock

    async def create(self, actor: Actor, asked: InvitationCreate) -> CreatedInvitation:
        invitation_id = new_id("inv")
        token = f"{invitation_id}.{secrets.token_urlsafe(32)}"
        mac = self._keychain.mac(PURPOSE, token.encode())

        def unit(tables: Tables) -> Invitation:
            now = self._clock()
            tables.invitations.purge(now - KEEP)
            end = now + asked.days * DAY
            row = InvitationRow(invitation_id, mac.digest, mac.version, now, end)
            tables.invitations.add(row)
            self._trail.add(tables, actor.entry("invitations.create", row.id, None))
            return views.invitation(row)

        created = await self._database.write(unit)
        return CreatedInvitation(**dict(created), token=token)

    async def list(self) -> InvitationList:
        """All of them, the oldest first."""

        def unit(tables: Tables) -> InvitationList:
            rows = tables.invitations.all()
            return InvitationList(invitations=[views.invitation(row) for row in rows])

        return await self._database.read(unit)

    async def revoke(self, actor: Actor, invitation_id: str) -> Invitation:
        """Take an invitation back. Raises Problem `not_found`."""

        def unit(tables: Tables) -> Invitation:
            row = tables.invitations.get(invitation_id)
            if row is None:
                raise not_found("invitation", invitation_id)
            tables.invitations.remove(invitation_id)
            self._trail.add(tables, actor.entry("invitations.revoke", invitation_id, None))
            return views.invitation(row)

        return await self._database.write(unit)

    def use(self, tables: Tables, token: str) -> bool:
        """Whether the token is good; then it is used up. Inside a unit of work."""
        row = self._good(tables, token)
        if row is None:
            return False
        tables.invitations.replace(replace(row, used_at=self._clock()))
        return True

    def is_good(self, tables: Tables, token: str) -> bool:
        return self._good(tables, token) is not None

    def _good(self, tables: Tables, token: str) -> InvitationRow | None:
        found = _FORM.fullmatch(token)
        row = tables.invitations.get(found[1]) if found else None
        if row is None or row.used_at is not None or row.expires_at <= self._clock():
            return None
        known = self._keychain.check(PURPOSE, token.encode(), Mac(row.mac_version, row.mac))
        return row if known else None
