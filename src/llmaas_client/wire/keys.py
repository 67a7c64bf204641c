"""Keys: what they look like, what they may do, and how they are made, rotated and revoked.

    llmaas_sk_0123456789ab_<43 characters: 256 random bits><6 characters: checksum>

`sk` runs tasks (inference), `mk` manages; then the public id, which lists and logs show as
`key_0123456789ab`. PATTERN is for secret scanners.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from .base import Request, WireModel
from .limits import Budget, BudgetStanding, GrantedLimits, Limits
from .names import Name, Names

PATTERN = r"llmaas_(sk|mk)_[0-9a-hjkmnp-tv-z]{12}_[0-9A-Za-z]{49}"

KeyKind = Literal["inference", "management"]
KeyStatus = Literal["active", "expired", "revoked"]

ANY = "*"
"""In a list of tasks, models or actions: all of them, also those that come later."""


class KeyCreate(Request):
    """The body of `POST /v1/keys`."""

    name: Name
    kind: KeyKind = "inference"
    application_id: str | None = Field(
        default=None, description="Of an inference key; without it the account's only application."
    )
    account_id: str | None = Field(
        default=None, description="For an operator; without it, of the account that asks."
    )
    tasks: Names = Field(
        default=[ANY], description="Of an inference key: what it may run. An empty list is nothing."
    )
    models: Names = Field(
        default=[ANY], description="Of an inference key: with which. An empty list is none."
    )
    actions: Names = Field(
        default=[],
        description="Of a management key: what it may do, such as `keys:write`; `*` is all that "
        "the key may do that makes it.",
    )
    limits: Limits | None = None
    budget: Budget | None = None
    expires_at: AwareDatetime | None = Field(
        default=None, description="Without it, the server's setting `key_days`."
    )


class KeyUpdate(Request):
    """The body of `PATCH /v1/keys/{id}`: what is named is changed."""

    name: Name | None = None
    tasks: Names | None = None
    models: Names | None = None
    actions: Names | None = None
    limits: Limits | None = Field(default=None, description="In the place of all earlier ones.")
    budget: Budget | None = Field(default=None, description="Null takes it away.")


class KeyRotate(Request):
    """The body of `POST /v1/keys/{id}/rotate`."""

    grace_seconds: int | None = Field(
        default=None,
        ge=0,
        le=30 * 24 * 3600,
        description="How long the old key stays good; without it, the server's setting "
        "`key_grace_seconds`.",
    )


class Key(WireModel):
    """A key as lists show it: without its secret, which the server does not know."""

    id: str
    name: str
    kind: KeyKind
    status: KeyStatus
    account_id: str
    application_id: str | None = None
    tasks: list[str] = []
    models: list[str] = []
    actions: list[str] = []
    limits: GrantedLimits
    budget: BudgetStanding | None = None
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    last_used: str | None = Field(default=None, description="The day, in UTC: `2026-01-31`.")
    replaces: str | None = Field(default=None, description="The key that this one follows.")


class CreatedKey(Key):
    """A new key. This is the only time that its secret is shown."""

    secret: str = Field(repr=False)


class KeyList(WireModel):
    keys: list[Key]
