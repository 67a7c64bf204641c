"""`/v1/register` and `/v1/sign-in`: for those who have no key yet."""

from __future__ import annotations

from llmaas_client.wire.accounts import (
    PasswordChange,
    PasswordChanged,
    Registered,
    Registration,
    SignedIn,
    SignIn,
)
from llmaas_server.gateway.access import PUBLIC
from llmaas_server.gateway.own_passwords import OwnPasswords
from llmaas_server.gateway.registration import Registrations

from .endpoint import Endpoint
from .managing import Asked, Desk


class RegistrationDesk:
    """What each request means to the service."""

    def __init__(self, registrations: Registrations, passwords: OwnPasswords) -> None:
        self._registrations = registrations
        self._passwords = passwords

    async def register(self, asked: Asked[Registration]) -> Registered:
        return await self._registrations.register(asked.body, asked.address)

    async def sign_in(self, asked: Asked[SignIn]) -> SignedIn:
        return await self._registrations.sign_in(asked.body, asked.address)

    async def change_password(self, asked: Asked[PasswordChange]) -> PasswordChanged:
        return await self._passwords.change(asked.body, asked.address)


def endpoints(registrations: Registrations, passwords: OwnPasswords, desk: Desk) -> list[Endpoint]:
    """Where nobody may register, there is no address to do it at."""
    people = RegistrationDesk(registrations, passwords)
    sign_in = desk.endpoint(
        "POST",
        "/v1/sign-in",
        "Get a management key for some hours, for an e-mail and a password",
        people.sign_in,
        PUBLIC,
        SignedIn,
        body=SignIn,
        errors=("wrong_password", "rate_limited", "overloaded"),
    )
    register = desk.endpoint(
        "POST",
        "/v1/register",
        "Make an account for oneself",
        people.register,
        PUBLIC,
        Registered,
        body=Registration,
        errors=("not_allowed", "rate_limited", "overloaded"),
    )
    password = desk.endpoint(
        "POST",
        "/v1/password",
        "Change the password that one signs in with",
        people.change_password,
        PUBLIC,
        PasswordChanged,
        body=PasswordChange,
        errors=("wrong_password", "rate_limited", "overloaded"),
    )
    open_to_all = [sign_in, password]
    return open_to_all if registrations.mode == "closed" else [*open_to_all, register]
