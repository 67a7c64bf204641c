"""Who is calling, and what they may do. Values: made from rows by `keyring`, compared by all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llmaas_client.wire.keys import ANY
from llmaas_server.errors import Problem
from llmaas_server.storage.keys import KeyKind
from llmaas_server.storage.values import Limits, Owner, Payer

from .actions import OWN
from .trail import ActorKind, Entry


@dataclass(frozen=True, slots=True)
class Permit:
    """A set of names; None is all there are, also later ones."""

    names: frozenset[str] | None

    @classmethod
    def of(cls, names: Iterable[str] | None) -> Permit:
        """None, or `*` among the names, is all."""
        given = None if names is None else frozenset(names)
        return cls(None if given is None or ANY in given else given)

    def __contains__(self, name: str) -> bool:
        return self.names is None or name in self.names

    def __and__(self, other: Permit) -> Permit:
        if self.names is None or other.names is None:
            return other if self.names is None else self
        return Permit(self.names & other.names)

    def __str__(self) -> str:
        return "all" if self.names is None else ", ".join(sorted(self.names)) or "nothing"


EVERYTHING = Permit(None)
NOTHING = Permit(frozenset())


def actions_of(is_operator: bool) -> Permit:
    """What the keys of an account may be made for at most."""
    return EVERYTHING if is_operator else Permit.of(OWN)


@dataclass(frozen=True, slots=True)
class Principal:
    """A key that is calling. Default deny: it may do what is named here."""

    key_id: str
    kind: KeyKind
    account_id: str
    application_id: str | None
    """None for a management key."""
    tasks: Permit = NOTHING
    """Of the key and its application."""
    models: Permit = NOTHING
    actions: Permit = NOTHING
    is_operator: bool = False
    """Whether the account runs the server."""
    limited: tuple[tuple[Owner, Limits], ...] = ()
    """All whose limits bind a call, the nearest first."""
    retention: bool = False
    """Whether the application keeps prompts and answers."""
    expires_at: int | None = None

    @property
    def tenant(self) -> str:
        """What fairness goes by."""
        return self.account_id

    @property
    def payer(self) -> Payer:
        """Who calls of an inference key are charged to."""
        if self.application_id is None:
            raise TypeError(f"{self.key_id} is a management key: it runs no calls")
        return Payer(self.account_id, self.application_id, self.key_id)

    @property
    def owners(self) -> tuple[Owner, ...]:
        return tuple(owner for owner, _ in self.limited)

    def check_model(self, name: str) -> None:
        """Raises Problem `not_allowed`."""
        if name not in self.models:
            raise Problem(
                "not_allowed",
                f"{self.key_id} may not use the model {name!r}; it may use: {self.models}",
                param="model",
            )


@dataclass(frozen=True, slots=True)
class Actor:
    """Who manages something: how far they reach, and what the audit trail says of them."""

    kind: ActorKind
    id: str
    account_id: str | None
    """The account they belong to; None is none, as for a command on the server's machine."""
    actions: Permit = NOTHING
    is_operator: bool = False
    address: str | None = None

    @classmethod
    def of(cls, principal: Principal, address: str | None = None) -> Actor:
        return cls(
            "key",
            principal.key_id,
            principal.account_id,
            principal.actions,
            principal.is_operator,
            address,
        )

    def entry(
        self,
        action: str,
        target: str,
        account_id: str | None,
        detail: Mapping[str, object] | None = None,
    ) -> Entry:
        """That this one has done it, for the audit trail."""
        return Entry(
            self.kind,
            self.id,
            action,
            target,
            account_id=account_id,
            address=self.address,
            detail=detail,
        )

    def reaches(self, account_id: str) -> bool:
        return self.is_operator or account_id == self.account_id

    def check_reach(self, account_id: str | None, what: str, name: str) -> None:
        """Raises Problem `not_found`: the same for what is another's and for what is not there."""
        if account_id is None or not self.reaches(account_id):
            raise not_found(what, name)


COMMAND = Actor("operator", "local", None, EVERYTHING, is_operator=True)
"""Whoever may use commands on the server's machine has the database in their hands anyway."""

SERVER = Actor("server", "server", None, EVERYTHING, is_operator=True)


def not_found(what: str, name: str) -> Problem:
    return Problem(
        "not_found",
        f"there is no {what} {name!r}",
        hint=f"GET /v1/{what}s lists those that the key reaches.",
    )
