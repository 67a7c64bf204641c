"""Links that sign one person in, once: for the owner on the server's own machine."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from llmaas_server.errors import Problem
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables

from .clock import SECOND, Clock
from .known import OPERATOR
from .principals import SERVER, Actor, actions_of
from .trail import Trail

SECONDS = 15 * 60
"""How long a link is good."""
MOST = 16
"""Open at the same time; a new one ends the oldest."""


@dataclass(frozen=True, slots=True)
class _Link:
    user_id: str
    ends: int


class SignInLinks:
    """Kept in memory alone, by their hashes: they are gone when the server ends."""

    def __init__(self, database: Database, trail: Trail, clock: Clock) -> None:
        self._database = database
        self._trail = trail
        self._clock = clock
        self._open: dict[bytes, _Link] = {}

    async def create(self, actor: Actor) -> str:
        """The token of a link for the owner of the actor's account; for the one who runs the
        server where the actor has none.

        Raises Problem `not_found`, and `not_allowed` for an actor who may not do all that the
        owner may: the link would give them more.
        """
        whole = actions_of(actor.is_operator)
        if whole & actor.actions != whole:
            raise Problem("not_allowed", f"{actor.id} may not do all that its account may")
        user_id = await self._database.write(lambda tables: self._choose(tables, actor))
        return self._open_for(user_id)

    def at_start(self) -> str | None:
        """The token of a link for the one who runs the server, before it serves; None where
        nobody who does can sign in. Blocks."""
        try:
            chosen = self._database.submit(lambda tables: self._choose(tables, SERVER)).result()
        except Problem as problem:
            if problem.code != "not_found":
                raise
            return None
        return self._open_for(chosen)

    def first(self) -> str | None:
        """The same for one who has no password yet; None where they have. Blocks."""
        users = self._database.look(lambda tables: tables.users.with_role(OPERATOR))
        return None if any(user.password_hash for user in users) else self.at_start()

    def _choose(self, tables: Tables, actor: Actor) -> str:
        """The id of the user whom a link for this actor signs in."""
        users = (
            tables.users.with_role(OPERATOR)
            if actor.account_id is None
            else tables.users.of_account(actor.account_id)
        )
        user = next((row for row in users if row.status == "active"), None)
        if user is None:
            raise Problem("not_found", "the account has no active user")
        self._trail.add(tables, actor.entry("sign_in_links.create", user.id, user.account_id))
        return user.id

    def is_good(self, token: str) -> bool:
        link = self._open.get(_digest(token))
        return link is not None and self._clock() < link.ends

    def use(self, token: str) -> str | None:
        """The id of the user, and the link is used up; None where it is not good."""
        link = self._open.pop(_digest(token), None)
        return None if link is None or link.ends <= self._clock() else link.user_id

    def _open_for(self, user_id: str) -> str:
        token = secrets.token_urlsafe(32)
        while len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
        self._open[_digest(token)] = _Link(user_id, self._clock() + SECONDS * SECOND)
        return token


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
