"""The audit trail as its readers see it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from .base import WireModel


class AuditEntry(WireModel):
    """One row of the trail: what was changed, or who was refused."""

    seq: int = Field(description="1, 2, 3, … over all accounts.")
    at: AwareDatetime
    account_id: str | None = Field(default=None, description="Null is the server itself.")
    actor_kind: str
    actor: str
    action: str
    target: str
    outcome: Literal["done", "refused"]
    address: str | None = Field(
        default=None, description="A keyed hash, in hex: equal where the address was."
    )
    detail: dict[str, Any] | None = Field(
        default=None, description="Null also where the account was erased."
    )
    previous: str = Field(description="The hash of the row before, in hex.")
    hash: str = Field(description="Over all fields as they are kept, in hex.")


class AuditList(WireModel):
    entries: list[AuditEntry]
    next: int | None = Field(
        default=None, description="Where there may be more: `after` of the next page."
    )


class AuditFlaw(WireModel):
    """Something that is not as it was written."""

    seq: int
    what: str


class AuditReport(WireModel):
    """What a verification found."""

    whole: bool
    rows: int
    heads: int = Field(description="Signed heads kept outside the database.")
    anchored: int = Field(description="The last row that a head covers.")
    digests: int = Field(description="Of the ledger.")
    flaws: list[AuditFlaw]
