"""All accounts of a server, and invitations to it: `client.accounts`, for its operator."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, Literal, TypeVar

from llmaas_client.steps import UNSET, Call, Timeout, Unset
from llmaas_client.wire.accounts import (
    Account,
    AccountCreate,
    AccountList,
    AccountUpdate,
    CreatedInvitation,
    Erased,
    Invitation,
    Role,
)
from llmaas_client.wire.limits import Budget, Limits

from .calls import Run, at, changed, delete, get, given, send
from .invitations import Invitations

PATH = "/v1/accounts"

Page = TypeVar("Page")
One = TypeVar("One")
Gone = TypeVar("Gone")
Document = TypeVar("Document")


class AllAccounts(Generic[Page, One, Gone, Document]):
    """What both clients' `accounts` can do."""

    def __init__(self, run: Run) -> None:
        self._listing: Callable[[Call[AccountList]], Page] = run
        self._run: Callable[[Call[Account]], One] = run
        self._erasing: Callable[[Call[Erased]], Gone] = run
        self._exporting: Callable[[Call[bytes]], Document] = run

    def list(
        self, *, after: str | None = None, limit: int | None = None, timeout: Timeout = UNSET
    ) -> Page:
        """A page of accounts; `after` is the `next` of the page before."""
        query = {"after": after, "limit": limit}
        return self._listing(get(PATH, AccountList.model_validate_json, timeout, query))

    def create(
        self,
        name: str,
        *,
        email: str | None = None,
        password: str | None = None,
        limits: Limits | None = None,
        budget: Budget | None = None,
        timeout: Timeout = UNSET,
    ) -> One:
        """Make an account, with one application called `default`.

        Args:
            name: For people, in lists.
            email: Of its owner, to sign in with; together with `password`.
            password: 12 characters or more.
            limits: What all its keys together may use at a time.
            budget: What all its calls together may cost.
            timeout: Seconds for the whole call with all its retries; None is no limit.
        """
        fields = given(
            {"name": name, "email": email, "password": password, "limits": limits, "budget": budget}
        )
        read = Account.model_validate_json
        return self._run(send("POST", PATH, AccountCreate, fields, read, timeout))

    def show(self, account_id: str, *, timeout: Timeout = UNSET) -> One:
        """One account by its id."""
        return self._run(get(at(PATH, account_id), Account.model_validate_json, timeout))

    def update(
        self,
        account_id: str,
        *,
        name: str | Unset = UNSET,
        status: Literal["active", "suspended"] | Unset = UNSET,
        role: Role | Unset = UNSET,
        limits: Limits | Unset | None = UNSET,
        budget: Budget | Unset | None = UNSET,
        timeout: Timeout = UNSET,
    ) -> One:
        """Change what is named. None takes limits, or the budget, away.

        `role="operator"` lets the account's management keys reach the whole server, as far as each
        is for the action; the key that asks must be for `*`.
        """
        fields = changed(
            {"name": name, "status": status, "role": role, "limits": limits, "budget": budget}
        )
        path, read = at(PATH, account_id), Account.model_validate_json
        return self._run(send("PATCH", path, AccountUpdate, fields, read, timeout))

    def suspend(self, account_id: str, *, timeout: Timeout = UNSET) -> One:
        """Let its keys do nothing, and end what runs for them, until it is resumed."""
        return self.update(account_id, status="suspended", timeout=timeout)

    def resume(self, account_id: str, *, timeout: Timeout = UNSET) -> One:
        """Let its keys work again."""
        return self.update(account_id, status="active", timeout=timeout)

    def export(self, account_id: str, *, timeout: Timeout = UNSET) -> Document:
        """All that belongs to an account, as the bytes of one JSON document."""
        return self._exporting(get(at(PATH, account_id, "export"), bytes, timeout))

    def erase(self, account_id: str, *, timeout: Timeout = UNSET) -> Gone:
        """Delete what is kept of the account's people and texts, for ever. Its keys end.

        What it used stays in the ledger, without the person.
        """
        return self._erasing(delete(at(PATH, account_id), Erased.model_validate_json, timeout))


class Accounts(AllAccounts[AccountList, Account, Erased, bytes]):
    """`Client.accounts`."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.invitations = Invitations[CreatedInvitation, list[Invitation], Invitation](run)


class AsyncAccounts(
    AllAccounts[
        Coroutine[Any, Any, AccountList],
        Coroutine[Any, Any, Account],
        Coroutine[Any, Any, Erased],
        Coroutine[Any, Any, bytes],
    ]
):
    """`AsyncClient.accounts`: the same names, to be awaited."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.invitations = Invitations[
            Coroutine[Any, Any, CreatedInvitation],
            Coroutine[Any, Any, list[Invitation]],
            Coroutine[Any, Any, Invitation],
        ](run)
