"""Keys: made, listed, changed, rotated, revoked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from llmaas_client.steps import UNSET, Call, Timeout, Unset
from llmaas_client.wire.keys import (
    CreatedKey,
    Key,
    KeyCreate,
    KeyKind,
    KeyList,
    KeyRotate,
    KeyUpdate,
)
from llmaas_client.wire.limits import Budget, Limits

from .calls import Run, at, changed, delete, get, given, send

PATH = "/v1/keys"

Made = TypeVar("Made")
Many = TypeVar("Many")
One = TypeVar("One")


class Keys(Generic[Made, Many, One]):
    """The keys of an account.

    key = client.account.keys.create("reports", tasks=["summarize"])
    key.secret  # shown this once
    """

    def __init__(self, run: Run) -> None:
        self._make: Callable[[Call[CreatedKey]], Made] = run
        self._listing: Callable[[Call[list[Key]]], Many] = run
        self._run: Callable[[Call[Key]], One] = run

    def create(
        self,
        name: str,
        *,
        kind: KeyKind = "inference",
        application_id: str | None = None,
        account_id: str | None = None,
        tasks: Sequence[str] | None = None,
        models: Sequence[str] | None = None,
        actions: Sequence[str] | None = None,
        limits: Limits | None = None,
        budget: Budget | None = None,
        expires_at: datetime | None = None,
        timeout: Timeout = UNSET,
    ) -> Made:
        """Make a key. Its `secret` is shown this once: the server does not keep it.

        Args:
            name: For people, in lists.
            kind: `inference` runs tasks, `management` manages; no key does both.
            application_id: Of an inference key; without it the account's only application.
            account_id: For an operator; without it the account of the management key.
            tasks: Of an inference key: what it may run; without it all tasks.
            models: Of an inference key: with which; without it all models.
            actions: Of a management key: what it may do, such as `keys:write`; `*` is all that
                the key may do that makes it.
            limits: What it may use at a time.
            budget: What its calls may cost.
            expires_at: A moment with a time zone; without it as the server is set.
            timeout: Seconds for the whole call with all its retries; None is no limit.
        """
        fields = given(
            {
                "name": name,
                "kind": kind,
                "application_id": application_id,
                "account_id": account_id,
                "tasks": tasks,
                "models": models,
                "actions": actions,
                "limits": limits,
                "budget": budget,
                "expires_at": expires_at,
            }
        )
        read = CreatedKey.model_validate_json
        return self._make(send("POST", PATH, KeyCreate, fields, read, timeout))

    def list(
        self,
        *,
        account_id: str | None = None,
        application_id: str | None = None,
        timeout: Timeout = UNSET,
    ) -> Many:
        """The keys of an account or of one application, the oldest first; without secrets."""
        query = {"account_id": account_id, "application_id": application_id}
        return self._listing(get(PATH, _read, timeout, query))

    def show(self, key_id: str, *, timeout: Timeout = UNSET) -> One:
        """One key by its id."""
        return self._run(get(at(PATH, key_id), Key.model_validate_json, timeout))

    def update(
        self,
        key_id: str,
        *,
        name: str | Unset = UNSET,
        tasks: Sequence[str] | Unset = UNSET,
        models: Sequence[str] | Unset = UNSET,
        actions: Sequence[str] | Unset = UNSET,
        limits: Limits | Unset | None = UNSET,
        budget: Budget | Unset | None = UNSET,
        timeout: Timeout = UNSET,
    ) -> One:
        """Change what is named. None takes limits, or the budget, away."""
        fields = changed(
            {
                "name": name,
                "tasks": tasks,
                "models": models,
                "actions": actions,
                "limits": limits,
                "budget": budget,
            }
        )
        read = Key.model_validate_json
        return self._run(send("PATCH", at(PATH, key_id), KeyUpdate, fields, read, timeout))

    def rotate(
        self, key_id: str, *, grace_seconds: int | None = None, timeout: Timeout = UNSET
    ) -> Made:
        """Make the key that follows this one, which stays good for `grace_seconds`.

        Without them, as the server is set: a day, as a rule.
        """
        fields = given({"grace_seconds": grace_seconds})
        path, read = at(PATH, key_id, "rotate"), CreatedKey.model_validate_json
        return self._make(send("POST", path, KeyRotate, fields, read, timeout))

    def revoke(self, key_id: str, *, timeout: Timeout = UNSET) -> One:
        """End a key at once, and all that runs for it."""
        return self._run(delete(at(PATH, key_id), Key.model_validate_json, timeout))


def _read(body: bytes) -> list[Key]:
    return KeyList.model_validate_json(body).keys
