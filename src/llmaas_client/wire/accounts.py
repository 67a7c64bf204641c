"""Accounts: who has them, how one is registered, and how one signs in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field
from pydantic_core import PydanticCustomError

from .base import Request, WireModel
from .keys import CreatedKey
from .limits import Budget, BudgetStanding, GrantedLimits, Limits
from .names import Name

AccountStatus = Literal["active", "suspended", "closed"]
Role = Literal["operator", "owner"]
"""The operator runs the server and reaches every account; an owner reaches their own."""

MIN_PASSWORD = 12
MAX_PASSWORD_BYTES = 1024

Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


def _not_too_long(password: str) -> str:
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise PydanticCustomError("password", "a password has at most 1024 bytes")
    return password


Password = Annotated[str, Field(max_length=MAX_PASSWORD_BYTES), AfterValidator(_not_too_long)]
"""One that is offered."""

NewPassword = Annotated[str, Field(min_length=MIN_PASSWORD), AfterValidator(_not_too_long)]


class AccountCreate(Request):
    """The body of `POST /v1/accounts`."""

    name: Name
    email: Email | None = Field(default=None, description="Of its owner, to sign in with.")
    password: NewPassword | None = Field(default=None, repr=False)
    limits: Limits | None = None
    budget: Budget | None = None


class AccountUpdate(Request):
    """The body of `PATCH /v1/accounts/{id}`: what is named is changed."""

    name: Name | None = None
    status: Literal["active", "suspended"] | None = None
    role: Role | None = Field(
        default=None,
        description="`operator`: its management keys then reach the whole server, as far as each "
        "is for the action.",
    )
    limits: Limits | None = Field(default=None, description="In the place of all earlier ones.")
    budget: Budget | None = Field(default=None, description="Null takes it away.")


class Account(WireModel):
    """A tenant: all that it has is apart from what others have."""

    id: str
    name: str
    status: AccountStatus
    role: Role
    limits: GrantedLimits
    budget: BudgetStanding | None = None
    created_at: AwareDatetime


class Erased(WireModel):
    """The account that is no more."""

    id: str


class AccountExport(WireModel):
    """All that belongs to an account, as the server keeps it.

    Moments are microseconds since 1970 UTC, money is in nano-units.
    """

    account: dict[str, Any]
    users: list[dict[str, Any]]
    applications: list[dict[str, Any]]
    keys: list[dict[str, Any]] = Field(description="Without what they are checked by.")
    budgets: list[dict[str, Any]]
    ledger: list[dict[str, Any]] = Field(description="Every call, and what it used.")
    audit: list[dict[str, Any]]
    records: list[dict[str, Any]] = Field(description="Requests and answers that were kept.")
    classifiers: list[dict[str, Any]] = Field(description="With their files, in base64.")


class AccountList(WireModel):
    accounts: list[Account]
    next: str | None = Field(
        default=None, description="Where there are more: `after` of the next page."
    )


class InvitationCreate(Request):
    """The body of `POST /v1/invitations`."""

    days: int = Field(default=7, ge=1, le=90, description="How long it is good.")


class Invitation(WireModel):
    """Lets one person register, once."""

    id: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    used_at: AwareDatetime | None = None


class CreatedInvitation(Invitation):
    token: str = Field(repr=False, description="To send to the one who is invited; shown once.")


class InvitationList(WireModel):
    invitations: list[Invitation]


class Registration(Request):
    """The body of `POST /v1/register`."""

    email: Email
    password: NewPassword = Field(repr=False)
    name: Name | None = Field(default=None, description="Of the account.")
    invitation: str | None = Field(default=None, max_length=200, repr=False)


class Registered(WireModel):
    """The same whether the e-mail was known or not: nobody learns who has an account."""

    status: Literal["accepted"] = "accepted"
    hint: str = "Sign in with the e-mail and the password."


class SignIn(Request):
    """The body of `POST /v1/sign-in`."""

    email: Email
    password: Password = Field(repr=False)


class PasswordChange(SignIn):
    """The body of `POST /v1/password`."""

    new_password: NewPassword = Field(repr=False)


class PasswordChanged(WireModel):
    """What was made by the old password has ended: sessions, and keys of those who signed in."""

    status: Literal["changed"] = "changed"


class SignInLink(WireModel):
    """A link that signs the owner of the account in to the console, once."""

    path: str = Field(repr=False, description="Behind the server's address.")
    expires_in: int = Field(description="Seconds.")


class SignedIn(WireModel):
    account: Account
    key: CreatedKey = Field(description="A management key that expires soon.")
