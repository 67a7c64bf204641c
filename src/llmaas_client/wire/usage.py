"""What was used: sums over the ledger, which has every call that was admitted and has ended."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Literal, get_args

from pydantic import AwareDatetime, Field

from .base import WireModel

UsageDimension = Literal["account", "application", "key", "task", "model", "day", "outcome"]

DIMENSIONS: tuple[UsageDimension, ...] = get_args(UsageDimension)


class UsageGroup(WireModel):
    """Calls that are alike in the dimensions that were asked for; the others are null."""

    account: str | None = None
    application: str | None = None
    key: str | None = None
    task: str | None = None
    model: str | None = None
    day: date | None = Field(default=None, description="Of the call's admission, in UTC.")
    outcome: str | None = Field(
        default=None, description="`completed`, `aborted`, `failed` or `rejected`."
    )
    calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cpu_us: int = Field(description="Microseconds of a CPU: the calls' shares of its steps.")
    gpu_us: int = Field(description="Microseconds of a GPU.")
    cost: str = Field(description="A decimal number, exact.")


class UsageReport(WireModel):
    """The answer of `GET /v1/usage`."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    by: list[UsageDimension]
    groups: list[UsageGroup] = Field(description="Sorted by the dimensions as they were named.")
    total: UsageGroup = Field(description="Of all groups, also those on other pages.")
    next: int | None = Field(
        default=None, description="Where there are more groups: `after` of the next page."
    )

    def to_csv(self) -> str:
        """One line for each group: the dimensions that were asked for, then the sums."""
        names = [name for name in UsageGroup.model_fields if name not in DIMENSIONS]
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([*self.by, *names])
        for group in self.groups:
            writer.writerow([_cell(getattr(group, name)) for name in (*self.by, *names)])
        return text.getvalue()


def _cell(value: object) -> str:
    """Text that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
