"""How people change what they sign in with."""

from __future__ import annotations

from dataclasses import replace

from llmaas_client.wire.accounts import PasswordChange, PasswordChanged
from llmaas_server.errors import Problem
from llmaas_server.storage.accounts import UserRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.values import Owner

from .clock import Clock
from .keyring import KeyRing
from .passwords import Passwords
from .principals import Actor
from .registration import SIGN_IN_KEY, Registrations
from .sessions import Session, Sessions
from .trail import Trail
from .users import Users


class OwnPasswords:
    """A new password ends the sessions and the keys that the old one gave, beside the session in
    which it was changed."""

    def __init__(
        self,
        database: Database,
        ring: KeyRing,
        users: Users,
        passwords: Passwords,
        registrations: Registrations,
        sessions: Sessions,
        trail: Trail,
        clock: Clock,
    ) -> None:
        self._database = database
        self._ring = ring
        self._users = users
        self._passwords = passwords
        self._registrations = registrations
        self._sessions = sessions
        self._trail = trail
        self._clock = clock

    async def change(self, asked: PasswordChange, address: str | None) -> PasswordChanged:
        """For one who has the old password. Raises Problem `wrong_password`, `rate_limited`."""
        user = await self._registrations.proved(asked.email, asked.password, address, "password")
        await self._set(user, None, asked.new_password, address)
        return PasswordChanged()

    async def set(
        self, session: Session, email: str | None, new_password: str, address: str | None
    ) -> None:
        """For one who is signed in and has proved it a short while ago; with the e-mail where the
        user has none. Raises Problem `not_allowed`, `invalid_request`, `conflict`."""
        if not session.confirmed:
            raise Problem("not_allowed", "confirm the password first", param="password")
        await self._set(session.user, email, new_password, address, but=session.row.id)

    async def _set(
        self,
        user: UserRow,
        email: str | None,
        password: str,
        address: str | None,
        *,
        but: str | None = None,
    ) -> None:
        hashed = await self._passwords.hash(password)
        actor = Actor("user", user.id, user.account_id, address=address)

        def unit(tables: Tables) -> None:
            row = tables.users.get(user.id)
            if row is None or row.status != "active":
                raise Problem("not_allowed", "the user is not active")
            if row.email is None and email is None:
                raise Problem("invalid_request", "say with which e-mail to sign in", param="email")
            if email is not None:
                row = self._users.with_email(tables, row, email)
            tables.users.replace(replace(row, password_hash=hashed))
            for key in tables.keys.of_account(user.account_id):
                if key.name == SIGN_IN_KEY and key.kind == "management" and key.revoked_at is None:
                    tables.keys.replace(replace(key, revoked_at=self._clock()))
            self._trail.add(tables, actor.entry("passwords.change", user.id, user.account_id))

        await self._ring.change(unit, Owner("account", user.account_id))
        await self._sessions.end_others(user.id, actor, but=but)
