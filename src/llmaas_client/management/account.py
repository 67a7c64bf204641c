"""The account of the one who asks: `client.account`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic, TypeVar

from llmaas_client.steps import UNSET, Call, T, Timeout
from llmaas_client.wire import accounts as wire
from llmaas_client.wire.accounts import (
    AccountUpdate,
    PasswordChange,
    PasswordChanged,
    Registered,
    Registration,
    SignedIn,
    SignIn,
    SignInLink,
)
from llmaas_client.wire.applications import Application
from llmaas_client.wire.base import Request
from llmaas_client.wire.keys import CreatedKey, Key

from .applications import Applications
from .calls import Run, get, given, send
from .keys import Keys

ME = "/v1/accounts/me"

One = TypeVar("One")
Accepted = TypeVar("Accepted")
Opened = TypeVar("Opened")
Changed = TypeVar("Changed")
Link = TypeVar("Link")


class OwnAccount(Generic[One, Accepted, Opened, Changed, Link]):
    """What both clients' `account` can do."""

    def __init__(self, run: Run) -> None:
        self._one: Callable[[Call[wire.Account]], One] = run
        self._registering: Callable[[Call[Registered]], Accepted] = run
        self._signing_in: Callable[[Call[SignedIn]], Opened] = run
        self._changing: Callable[[Call[PasswordChanged]], Changed] = run
        self._linking: Callable[[Call[SignInLink]], Link] = run

    def show(self, *, timeout: Timeout = UNSET) -> One:
        """The account with its limits, and where its budget stands."""
        return self._one(get(ME, wire.Account.model_validate_json, timeout))

    def rename(self, name: str, *, timeout: Timeout = UNSET) -> One:
        """Give the account another name."""
        read = wire.Account.model_validate_json
        return self._one(send("PATCH", ME, AccountUpdate, {"name": name}, read, timeout))

    def register(
        self,
        email: str,
        password: str,
        *,
        name: str | None = None,
        invitation: str | None = None,
        timeout: Timeout = UNSET,
    ) -> Accepted:
        """Make an account for oneself, where the server lets people; needs no key.

        The answer is the same whether the e-mail was known or not.

        Args:
            email: To sign in with.
            password: 12 characters or more.
            name: Of the account; else what the e-mail begins with.
            invitation: The token, where the server registers those alone who have one.
            timeout: Seconds for the whole call with all its retries; None is no limit.
        """
        fields = {"email": email, "password": password, "name": name, "invitation": invitation}
        return self._registering(
            _public("/v1/register", Registration, fields, Registered.model_validate_json, timeout)
        )

    def sign_in(self, email: str, password: str, *, timeout: Timeout = UNSET) -> Opened:
        """A management key of the account, good for some hours; needs no key.

        key = client.account.sign_in(email, password).key.secret
        client = Client(management_key=key)
        """
        fields = {"email": email, "password": password}
        return self._signing_in(
            _public("/v1/sign-in", SignIn, fields, SignedIn.model_validate_json, timeout)
        )

    def change_password(
        self, email: str, password: str, new_password: str, *, timeout: Timeout = UNSET
    ) -> Changed:
        """Sign in with another password from now on; needs no key.

        Ends what the old one gave: sessions of the console, and keys of those who signed in.
        """
        fields = {"email": email, "password": password, "new_password": new_password}
        read = PasswordChanged.model_validate_json
        return self._changing(_public("/v1/password", PasswordChange, fields, read, timeout))

    def sign_in_link(self, *, timeout: Timeout = UNSET) -> Link:
        """A link that signs the owner of the account in to the console, once, for some minutes.
        The key must be for all that the account may do.
        """
        read = SignInLink.model_validate_json
        return self._linking(
            Call("/v1/sign-in-links", read, timeout=timeout, method="POST", key="management")
        )


class Account(OwnAccount[wire.Account, Registered, SignedIn, PasswordChanged, SignInLink]):
    """`Client.account`."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.applications = Applications[list[Application], Application](run)
        self.keys = Keys[CreatedKey, list[Key], Key](run)


class AsyncAccount(
    OwnAccount[
        Coroutine[Any, Any, wire.Account],
        Coroutine[Any, Any, Registered],
        Coroutine[Any, Any, SignedIn],
        Coroutine[Any, Any, PasswordChanged],
        Coroutine[Any, Any, SignInLink],
    ]
):
    """`AsyncClient.account`: the same names, to be awaited."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.applications = Applications[
            Coroutine[Any, Any, list[Application]], Coroutine[Any, Any, Application]
        ](run)
        self.keys = Keys[
            Coroutine[Any, Any, CreatedKey],
            Coroutine[Any, Any, list[Key]],
            Coroutine[Any, Any, Key],
        ](run)


def _public(
    path: str,
    body: type[Request],
    fields: Mapping[str, str | None],
    read: Callable[[bytes], T],
    timeout: Timeout,
) -> Call[T]:
    """A call of one who has no key yet: none goes along."""
    return Call(
        path, read, request=lambda: body.model_validate(given(fields)), timeout=timeout, key=None
    )
