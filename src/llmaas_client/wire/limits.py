"""What an account, an application or a key may use: limits at a time, and a budget of money."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from .base import Request, WireModel

BudgetPeriod = Literal["day", "month", "total"]

Amount = Annotated[str, Field(pattern=r"^[0-9]{1,10}(\.[0-9]{1,9})?$")]
"""Of money: a decimal number without a loss, such as `"0.15"`."""

Count = Annotated[int, Field(ge=1, le=2**53)]


class Limits(Request):
    """What may be used at once. Null is no limit."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrency: Count | None = Field(default=None, description="Calls at the same time.")


class GrantedLimits(WireModel):
    """What may be used at once. Null is no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None


class Budget(Request):
    """What calls may cost, in a period."""

    period: BudgetPeriod = Field(description="A day or a month of UTC, or all time.")
    amount: Amount = Field(description="The most, in the unit of prices, as a decimal in quotes.")


class BudgetStanding(WireModel):
    """A budget, and where it stands in the period that runs now."""

    period: BudgetPeriod
    amount: str
    spent: str
    reserved: str = Field(description="By calls that run.")
    left: str
    ends_at: AwareDatetime | None = Field(default=None, description="When it is whole again.")
