"""Values that several tables hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OwnerKind = Literal["account", "application", "key"]
Outcome = Literal["completed", "aborted", "failed", "rejected"]
Period = Literal["day", "month", "total"]


@dataclass(frozen=True, slots=True)
class Owner:
    """What a limit or a budget belongs to."""

    kind: OwnerKind
    id: str


@dataclass(frozen=True, slots=True)
class Payer:
    """Who a call is charged to: the path from its key up to the account."""

    account_id: str
    application_id: str
    key_id: str

    @property
    def owners(self) -> tuple[Owner, Owner, Owner]:
        """Everything whose limits and budgets bind the call, the nearest first."""
        return (
            Owner("key", self.key_id),
            Owner("application", self.application_id),
            Owner("account", self.account_id),
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What one owner may use at once; None is no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a key may do. What is not named is denied."""

    tasks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
