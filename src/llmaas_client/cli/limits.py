"""Limits and budgets on the command line: as options, and as words in tables."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import ValidationError

from llmaas_client.steps import UNSET, Unset
from llmaas_client.wire.limits import Budget, BudgetStanding, GrantedLimits, Limits

from .failures import WrongUsage

RequestsPerMinute = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Most requests in a minute; 0 is no limit."),
]
TokensPerMinute = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Most tokens in a minute; 0 is no limit.")
]
Concurrency = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Most calls at a time; 0 is no limit.")
]
BudgetText = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="AMOUNT/PERIOD",
        help="What calls may cost in a `day`, a `month` or in `total`, as in 10/month; `none` "
        "takes it away.",
    ),
]


def limits_of(
    requests_per_minute: int | None,
    tokens_per_minute: int | None,
    concurrency: int | None,
    before: GrantedLimits | None = None,
) -> Limits | Unset:
    """The limits that were typed, and those of before that were not; unset where none were."""
    typed = {
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "concurrency": concurrency,
    }
    if all(value is None for value in typed.values()):
        return UNSET
    kept = {} if before is None else before.model_dump(include=set(typed))
    fresh = {name: value for name, value in typed.items() if value is not None}
    return Limits(**{name: value or None for name, value in (kept | fresh).items()})


def budget_of(text: str | None) -> Budget | Unset | None:
    """Unset where nothing was typed, None where the budget is to go."""
    if text is None:
        return UNSET
    if text == "none":
        return None
    amount, _, period = text.partition("/")
    try:
        return Budget.model_validate({"amount": amount, "period": period})
    except ValidationError:
        raise WrongUsage(
            f"--budget {text!r} is not AMOUNT/PERIOD: write 10/month, 0.50/day or 100/total"
        ) from None


def limits_words(limits: GrantedLimits) -> str:
    parts = [
        f"{value} {unit}"
        for value, unit in (
            (limits.requests_per_minute, "requests/min"),
            (limits.tokens_per_minute, "tokens/min"),
            (limits.concurrency, "at a time"),
        )
        if value is not None
    ]
    return ", ".join(parts) or "-"


def budget_words(budget: BudgetStanding | None) -> str:
    if budget is None:
        return "-"
    return f"{budget.spent} of {budget.amount} spent ({budget.period})"
