"""How people get an account by themselves, and sign in to it.

The answer to a registration is the same whether the e-mail has an account or not, and so is the
work: nobody learns who has one. The same holds for an attempt to sign in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from llmaas_client.wire.accounts import AccountCreate, Registered, Registration, SignedIn, SignIn
from llmaas_client.wire.keys import ANY, KeyCreate
from llmaas_server.errors import Problem
from llmaas_server.storage.accounts import UserRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables

from . import views
from .accounts import Accounts
from .clock import SECOND, Clock
from .invitations import Invitations
from .keys import Keys
from .known import is_operator
from .passwords import Passwords
from .principals import Actor, actions_of
from .refusals import Refusals
from .strangers import Strangers, network_of
from .trail import Entry, Trail
from .users import Users, normalized

Mode = Literal["closed", "invite", "open"]

SIGN_IN_SECONDS = 12 * 3600
"""How long the key of one who signed in is good."""

SIGN_IN_KEY = "sign-in"
"""Its name."""


class Registrations:
    def __init__(
        self,
        database: Database,
        mode: Mode,
        accounts: Accounts,
        keys: Keys,
        invitations: Invitations,
        users: Users,
        passwords: Passwords,
        strangers: Strangers,
        trail: Trail,
        refusals: Refusals,
        clock: Clock,
    ) -> None:
        """`strangers` counts attempts by address, and by the e-mail that is tried."""
        self.mode: Mode = mode
        self._database = database
        self._accounts = accounts
        self._keys = keys
        self._invitations = invitations
        self._users = users
        self._passwords = passwords
        self._strangers = strangers
        self._trail = trail
        self._refusals = refusals
        self._clock = clock

    async def register(self, asked: Registration, address: str | None) -> Registered:
        """Make an account, by the mode. Raises Problem `not_allowed`, `rate_limited`."""
        if self.mode == "closed":
            raise Problem("not_allowed", "this server registers nobody: ask its operator")
        self._strangers.take(network_of(address))
        await self._check_invitation(asked.invitation, address)
        hashed = await self._passwords.hash(asked.password)
        name = asked.name or asked.email.partition("@")[0]
        stranger = Actor("stranger", "registration", None, address=address)

        def unit(tables: Tables) -> None:
            known = self._users.find(tables, asked.email)
            if known is not None:
                # Something is written in both cases: the time of a commit would tell them apart.
                entry = stranger.entry("accounts.register", known.account_id, known.account_id)
                self._trail.add(tables, replace(entry, outcome="refused"))
                return
            if self.mode == "invite" and not self._invitations.use(tables, asked.invitation or ""):
                raise _not_invited()
            account = AccountCreate(name=name, email=asked.email)
            self._accounts.open_within(tables, stranger, account, hashed)

        await self._database.write(unit)
        return Registered()

    async def verify(self, email: str, password: str) -> UserRow | None:
        """The user with this e-mail and password; None, after the same work, where there is none
        or their account is not active. Raises Problem `overloaded`.
        """

        def unit(tables: Tables) -> tuple[UserRow | None, bool]:
            user = self._users.find(tables, email)
            account = user and tables.accounts.get(user.account_id)
            good = user is not None and user.status == "active"
            return user, good and account is not None and account.status == "active"

        user, is_active = await self._database.read(unit)
        kept = None if user is None else user.password_hash
        matches = await self._passwords.check(password, kept)
        return user if matches and is_active else None

    async def proved(self, email: str, password: str, address: str | None, what: str) -> UserRow:
        """The user with this e-mail and password. Only so many may be tried; `what` for is noted
        of those that are wrong. Raises Problem `wrong_password`, `rate_limited`, `overloaded`.
        """
        network, tried = network_of(address), f"e-mail {normalized(email)}"
        self._strangers.take(network)
        self._strangers.take(tried)
        user = await self.verify(email, password)
        if user is None:
            self._refusals.note(_refused(what, address))
            raise Problem("wrong_password")
        self._strangers.give_back(network)
        self._strangers.give_back(tried)
        return user

    async def proved_again(self, user: UserRow, password: str, address: str | None) -> None:
        """That one who is signed in has the password. Raises Problem as `proved`."""
        network, tried = network_of(address), f"user {user.id}"
        self._strangers.take(network)
        self._strangers.take(tried)
        if not await self._passwords.check(password, user.password_hash):
            self._refusals.note(_refused("confirm", address))
            raise Problem("wrong_password", "that is not the password", param="password")
        self._strangers.give_back(network)
        self._strangers.give_back(tried)

    async def sign_in(self, asked: SignIn, address: str | None) -> SignedIn:
        """A management key for the account, good for some hours.

        Raises Problem `wrong_password`, `rate_limited`.
        """
        user = await self.proved(asked.email, asked.password, address, "sign-in")
        rehashed = None
        if user.password_hash and self._passwords.is_outdated(user.password_hash):
            rehashed = await self._passwords.hash(asked.password)

        def unit(tables: Tables) -> SignedIn:
            now = self._clock()
            actor = Actor("user", user.id, user.account_id, address=address)
            actor = replace(actor, actions=actions_of(is_operator(tables, user.account_id)))
            row = tables.users.get(user.id)
            if row is not None and rehashed is not None:
                tables.users.replace(replace(row, password_hash=rehashed))
            key = self._keys.create_within(
                tables,
                actor,
                KeyCreate(
                    name=SIGN_IN_KEY,
                    kind="management",
                    actions=[ANY],
                    expires_at=views.moment(now + SIGN_IN_SECONDS * SECOND),
                ),
            )
            account = tables.accounts.get(user.account_id)
            assert account is not None  # accounts are never removed
            return SignedIn(account=views.account(tables, account, now), key=key)

        return await self._database.write(unit)

    async def _check_invitation(self, token: str | None, address: str | None) -> None:
        """Before the work of hashing; it is used up with the account, in one transaction."""
        if self.mode != "invite":
            return
        if not await self._database.read(
            lambda tables: self._invitations.is_good(tables, token or "")
        ):
            self._refusals.note(_refused("register", address))
            raise _not_invited()


def _refused(what: str, address: str | None) -> Entry:
    """The same whether there is such a person or not."""
    return Entry("stranger", "unknown", "access.refused", what, outcome="refused", address=address)


def _not_invited() -> Problem:
    """The same for what was used, what is over, and what never was."""
    return Problem(
        "not_allowed",
        "the invitation is not good, or not good any more",
        hint="Ask the operator of the server for a new one.",
        param="invitation",
    )
