"""Sessions of people in the console: a browser with a token, which acts by two keys of its own.

The keys are ordinary ones, one of each kind, whose secrets nobody has: what a session may do, what
it costs, its limits and its place in the audit trail are those of keys, and a session ends with
them. The token is kept as a keyed hash; what a page must show with each change (the CSRF token) is
derived from it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmaas_client.wire.applications import ApplicationCreate
from llmaas_client.wire.keys import ANY, KeyCreate
from llmaas_server.errors import Problem
from llmaas_server.storage.accounts import UserRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.sessions import SessionRow
from llmaas_server.storage.tables import Tables
from llmaas_server.storage.values import Owner

from . import views
from .applications import Applications
from .clock import SECOND, Clock
from .ids import new_id
from .keychain import Keychain, Mac
from .keyring import KeyRing
from .keys import Keys
from .known import is_operator
from .principals import Actor, Principal, actions_of
from .trail import Trail

PURPOSE = "sessions"
CSRF = "csrf"
NAME = "console"
"""Of the application that the calls of the console are made for, and of the keys."""

CONFIRMED = 10 * 60 * SECOND
"""For how long a password that was given counts for what asks for it again."""

TOUCHED = 60 * SECOND
"""How often it is written down that a session is used."""

_FORM = re.compile(r"(ses_[0-9a-z]{12})\.[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long sessions last, in microseconds."""

    idle: int
    most: int


@dataclass(frozen=True, slots=True)
class Session:
    """One that is good now."""

    row: SessionRow
    user: UserRow
    management: Principal
    csrf: str
    """What pages send with each change; other sites cannot know it."""
    confirmed: bool
    """Whether the password was given a short while ago."""

    @property
    def has_password(self) -> bool:
        return self.user.password_hash is not None

    def actor(self, address: str | None) -> Actor:
        return Actor.of(self.management, address)


class Sessions:
    """Begins, finds and ends them."""

    def __init__(
        self,
        database: Database,
        keychain: Keychain,
        ring: KeyRing,
        keys: Keys,
        applications: Applications,
        trail: Trail,
        clock: Clock,
        lasting: Lasting,
    ) -> None:
        self._database = database
        self._keychain = keychain
        self._ring = ring
        self._keys = keys
        self._applications = applications
        self._trail = trail
        self._clock = clock
        self._lasting = lasting

    async def begin(self, user_id: str, address: str | None, *, by_link: bool = False) -> str:
        """The token of a new session. One that was begun by a link has not given the password,
        where there is one. Raises Problem `not_allowed` where the user or the account
        is not active, `conflict` where the account has too many keys."""
        session_id = new_id("ses")
        token = f"{session_id}.{secrets.token_urlsafe(32)}"
        mac = self._keychain.mac(PURPOSE, token.encode())

        def unit(tables: Tables) -> None:
            now = self._clock()
            user = tables.users.get(user_id)
            if user is None or user.status != "active":
                raise Problem("not_allowed", "the user is not active")
            actor = Actor("user", user.id, user.account_id, address=address)
            actor = replace(actor, actions=actions_of(is_operator(tables, user.account_id)))
            end = now + self._lasting.most
            row = SessionRow(
                session_id,
                mac.digest,
                mac.version,
                user.id,
                user.account_id,
                self._key(tables, actor, end, management=True),
                self._key(tables, actor, end, management=False),
                created_at=now,
                used_at=now,
                expires_at=end,
                confirmed_at=0 if by_link and user.password_hash else now,
            )
            tables.sessions.purge(now)
            tables.sessions.add(row)
            self._trail.add(tables, actor.entry("sessions.begin", row.id, user.account_id))

        await self._database.write(unit)
        return token

    async def find(self, token: str) -> Session | None:
        """The session of this token; None where it is none, or is over."""
        found = _FORM.fullmatch(token)
        if found is None:
            return None

        def unit(tables: Tables) -> tuple[SessionRow, UserRow] | None:
            row = tables.sessions.get(found[1])
            if row is None:
                return None
            user = tables.users.get(row.user_id)
            return None if user is None else (row, user)

        kept = await self._database.read(unit)
        if kept is None:
            return None
        row, user = kept
        now = self._clock()
        is_good = (
            self._keychain.check(PURPOSE, token.encode(), Mac(row.mac_version, row.mac))
            and now < min(row.expires_at, row.used_at + self._lasting.idle)
            and user.status == "active"
        )
        if not is_good:
            return None
        try:
            management = await self._ring.principal(row.management_key_id)
        except Problem as problem:
            if problem.code != "invalid_key":
                raise
            return None
        if row.used_at + TOUCHED <= now:
            await self._database.write(lambda tables: _touch(tables, row.id, now))
        csrf = self._keychain.mac(CSRF, f"{row.id} {row.mac.hex()}".encode()).digest.hex()
        return Session(row, user, management, csrf, now < row.confirmed_at + CONFIRMED)

    async def inference(self, session: Session) -> Principal:
        """Who runs tasks in the session. Raises Problem `invalid_key` where its key was ended."""
        return await self._ring.principal(session.row.inference_key_id)

    async def confirm(self, session: Session) -> None:
        """Note that the person has given the password again."""

        def unit(tables: Tables) -> None:
            row = tables.sessions.get(session.row.id)
            if row is not None:
                tables.sessions.replace(replace(row, confirmed_at=self._clock()))

        await self._database.write(unit)

    async def end(self, session: Session, address: str | None) -> None:
        """End it, and what runs for it."""
        await self._end([session.row], session.actor(address))

    async def end_others(self, user_id: str, actor: Actor, *, but: str | None = None) -> None:
        """End all sessions of a user, beside the one of this id."""
        rows = await self._database.read(lambda tables: tables.sessions.of_user(user_id))
        await self._end([row for row in rows if row.id != but], actor)

    async def _end(self, rows: Sequence[SessionRow], actor: Actor) -> None:
        def unit(tables: Tables) -> None:
            now = self._clock()
            for row in rows:
                if not tables.sessions.remove(row.id):
                    continue
                for key_id in (row.management_key_id, row.inference_key_id):
                    key = tables.keys.get(key_id)
                    if key is not None and key.revoked_at is None:
                        tables.keys.replace(replace(key, revoked_at=now))
                self._trail.add(tables, actor.entry("sessions.end", row.id, row.account_id))

        ids = [key for row in rows for key in (row.management_key_id, row.inference_key_id)]
        if ids:
            await self._ring.change(unit, *(Owner("key", key_id) for key_id in ids))

    def _key(self, tables: Tables, actor: Actor, end: int, *, management: bool) -> str:
        """A key of the session. Its secret is forgotten at once: the session stands for it."""
        ends = views.moment(end)
        if management:
            asked = KeyCreate(name=NAME, kind="management", actions=[ANY], expires_at=ends)
        else:
            asked = KeyCreate(
                name=NAME,
                kind="inference",
                application_id=self._application(tables, actor),
                expires_at=ends,
            )
        return self._keys.create_within(tables, actor, asked).id

    def _application(self, tables: Tables, actor: Actor) -> str:
        """The console's own among those of the account; made where there is none."""
        assert actor.account_id is not None  # of a user
        rows = tables.applications.of_account(actor.account_id)
        there = (row.id for row in rows if (row.name, row.status) == (NAME, "active"))
        return next(there, None) or (
            self._applications.create_within(tables, actor, ApplicationCreate(name=NAME)).id
        )


def _touch(tables: Tables, session_id: str, now: int) -> None:
    row = tables.sessions.get(session_id)
    if row is not None:
        tables.sessions.replace(replace(row, used_at=now))
