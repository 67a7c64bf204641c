"""Applications: what an account uses the service for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Literal, TypeVar

from llmaas_client.steps import UNSET, Call, Timeout, Unset
from llmaas_client.wire.applications import (
    Application,
    ApplicationCreate,
    ApplicationList,
    ApplicationUpdate,
)
from llmaas_client.wire.limits import Budget, Limits

from .calls import Run, at, changed, delete, get, given, send

PATH = "/v1/applications"

Many = TypeVar("Many")
One = TypeVar("One")


class Applications(Generic[Many, One]):
    """The applications of an account.

    client.account.applications.create("reports", tasks=["summarize"])
    """

    def __init__(self, run: Run) -> None:
        self._listing: Callable[[Call[list[Application]]], Many] = run
        self._run: Callable[[Call[Application]], One] = run

    def create(
        self,
        name: str,
        *,
        account_id: str | None = None,
        tasks: Sequence[str] | None = None,
        models: Sequence[str] | None = None,
        limits: Limits | None = None,
        budget: Budget | None = None,
        retention: bool = False,
        timeout: Timeout = UNSET,
    ) -> One:
        """Make an application.

        Args:
            name: For people, in lists.
            account_id: For an operator; without it the account of the management key.
            tasks: What its keys may run; without it all tasks.
            models: With which; without it all models.
            limits: What all its keys together may use at a time.
            budget: What the calls of all its keys together may cost.
            retention: Whether prompts and answers are kept, encrypted.
            timeout: Seconds for the whole call with all its retries; None is no limit.
        """
        fields = given(
            {
                "name": name,
                "account_id": account_id,
                "tasks": tasks,
                "models": models,
                "limits": limits,
                "budget": budget,
                "retention": retention or None,
            }
        )
        read = Application.model_validate_json
        return self._run(send("POST", PATH, ApplicationCreate, fields, read, timeout))

    def list(self, *, account_id: str | None = None, timeout: Timeout = UNSET) -> Many:
        """The applications of an account, the oldest first."""
        return self._listing(get(PATH, _read, timeout, {"account_id": account_id}))

    def show(self, application_id: str, *, timeout: Timeout = UNSET) -> One:
        """One application by its id."""
        return self._run(get(at(PATH, application_id), Application.model_validate_json, timeout))

    def update(
        self,
        application_id: str,
        *,
        name: str | Unset = UNSET,
        status: Literal["active", "suspended"] | Unset = UNSET,
        tasks: Sequence[str] | Unset | None = UNSET,
        models: Sequence[str] | Unset | None = UNSET,
        limits: Limits | Unset | None = UNSET,
        budget: Budget | Unset | None = UNSET,
        retention: bool | Unset = UNSET,
        timeout: Timeout = UNSET,
    ) -> One:
        """Change what is named. None is: all tasks, all models, no limits, no budget."""
        fields = changed(
            {
                "name": name,
                "status": status,
                "tasks": tasks,
                "models": models,
                "limits": limits,
                "budget": budget,
                "retention": retention,
            }
        )
        path, read = at(PATH, application_id), Application.model_validate_json
        return self._run(send("PATCH", path, ApplicationUpdate, fields, read, timeout))

    def delete(self, application_id: str, *, timeout: Timeout = UNSET) -> One:
        """Close an application and revoke its keys. What it used stays in the ledger."""
        path, read = at(PATH, application_id), Application.model_validate_json
        return self._run(delete(path, read, timeout))


def _read(body: bytes) -> list[Application]:
    return ApplicationList.model_validate_json(body).applications
