"""What was used, and what it cost: `client.usage`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Generic

from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.tasks.fields import Out
from llmaas_client.wire.usage import UsageDimension, UsageReport

from .calls import get

PATH = "/v1/usage"


class Usage(Generic[Out]):
    """Sums over the ledger.

    report = client.usage(by=["day", "model"], since="2026-01-01")
    report.total.cost
    report.to_csv()
    """

    def __init__(self, run: Callable[[Call[UsageReport]], Out]) -> None:
        self._run = run

    def __call__(
        self,
        *,
        by: Sequence[UsageDimension] = (),
        since: date | str | None = None,
        until: date | str | None = None,
        account_id: str | None = None,
        application_id: str | None = None,
        key_id: str | None = None,
        task: str | None = None,
        model: str | None = None,
        after: int | None = None,
        limit: int | None = None,
        timeout: Timeout = UNSET,
    ) -> Out:
        """What calls used that were admitted from `since` on and before `until`.

        Args:
            by: How to group them: `account`, `application`, `key`, `task`, `model`, `day`,
                `outcome`.
            since: A day or a moment; one without a time zone is in UTC.
            until: The same.
            account_id: Only of this account; an operator sees all of them without it.
            application_id: Only of this application.
            key_id: Only of this key.
            task: Only of this task.
            model: Only of this model.
            after: The `next` of the page before, where there are more groups than fit into one.
            limit: Most groups on a page.
            timeout: Seconds for the whole call with all its retries; None is no limit.
        """
        query = {
            "by": ",".join(by) or None,
            "since": _moment(since),
            "until": _moment(until),
            "account_id": account_id,
            "application_id": application_id,
            "key_id": key_id,
            "task": task,
            "model": model,
            "after": after,
            "limit": limit,
        }
        return self._run(get(PATH, UsageReport.model_validate_json, timeout, query))


def _moment(given: date | str | None) -> str | None:
    return given.isoformat() if isinstance(given, date) else given
