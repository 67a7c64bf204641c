"""Applications: what an account uses the service for."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from .base import Request, WireModel
from .limits import Budget, BudgetStanding, GrantedLimits, Limits
from .names import Name, Names

ApplicationStatus = Literal["active", "suspended", "closed"]


class ApplicationCreate(Request):
    """The body of `POST /v1/applications`."""

    name: Name
    account_id: str | None = Field(
        default=None, description="For an operator; without it, of the account that asks."
    )
    tasks: Names | None = Field(default=None, description="Null is all of them.")
    models: Names | None = Field(default=None, description="Null is all of them.")
    limits: Limits | None = None
    budget: Budget | None = None
    retention: bool = Field(default=False, description="Whether prompts and answers are kept.")


class ApplicationUpdate(Request):
    """The body of `PATCH /v1/applications/{id}`: what is named is changed."""

    name: Name | None = None
    status: Literal["active", "suspended"] | None = None
    tasks: Names | None = Field(default=None, description="Null is all of them.")
    models: Names | None = Field(default=None, description="Null is all of them.")
    limits: Limits | None = Field(default=None, description="In the place of all earlier ones.")
    budget: Budget | None = Field(default=None, description="Null takes it away.")
    retention: bool | None = None


class Application(WireModel):
    id: str
    account_id: str
    name: str
    status: ApplicationStatus
    tasks: list[str] | None
    models: list[str] | None
    limits: GrantedLimits
    budget: BudgetStanding | None = None
    retention: bool
    created_at: AwareDatetime


class ApplicationList(WireModel):
    applications: list[Application]
