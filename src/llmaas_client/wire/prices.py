"""Prices of calls, in versions; and what one call would cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from .base import ModelChoice, Request, WireModel
from .limits import Amount

ModelName = Annotated[str, Field(min_length=1, max_length=512)]


class PriceCreate(Request):
    """The body of `POST /v1/prices`: a new version. What it costs by time is capped."""

    model: ModelName | None = Field(default=None, description="Null is any model.")
    task: ModelName | None = Field(default=None, description="Null is any task.")
    prompt: Amount = Field(default="0", description="For a million tokens of prompts.")
    cached: Amount | None = Field(
        default=None, description="For a million that were not computed anew; null is as `prompt`."
    )
    completion: Amount = Field(default="0", description="For a million generated tokens.")
    cpu_second: Amount = Field(default="0", description="For a second of a CPU.")
    gpu_second: Amount = Field(default="0", description="For a second of a GPU.")
    most_seconds: Amount = Field(
        default="0",
        description="The time that a call is charged for at most; a price for time needs it.",
    )
    valid_from: AwareDatetime | None = Field(
        default=None, description="Not in the past; null is now."
    )


class Price(WireModel):
    """One version of a price. The narrowest that is valid holds, then the newest."""

    id: int
    model: str | None
    task: str | None
    prompt: str
    cached: str
    completion: str
    cpu_second: str
    gpu_second: str
    most_seconds: str
    valid_from: AwareDatetime
    created_at: AwareDatetime


class PriceList(WireModel):
    prices: list[Price] = Field(description="All versions, in the order in which they were set.")


class Quote(WireModel):
    """The answer of `POST /v1/tasks/{task}/price`: what a call would cost, measured, not run."""

    model: str
    model_choice: ModelChoice | None = None
    prompt_tokens: int = Field(
        description="Exact where it is known before the call runs; else, as of chat with "
        "documents, the most that there can be."
    )
    max_completion_tokens: int
    cost: str | None = Field(
        description="At most: what is reserved of budgets. Null where no price is set."
    )
