"""`/v1/accounts` and `/v1/invitations`: the tenants, and who may become one."""

from __future__ import annotations

from llmaas_client.wire.accounts import (
    Account,
    AccountCreate,
    AccountList,
    AccountUpdate,
    CreatedInvitation,
    Invitation,
    InvitationCreate,
    InvitationList,
)
from llmaas_server.gateway.access import management
from llmaas_server.gateway.accounts import MOST_IN_PAGE, PAGE, Accounts
from llmaas_server.gateway.invitations import Invitations

from .endpoint import Endpoint
from .managing import Asked, Desk
from .paging import limit_of, parameters

PATH = "/v1/accounts"
INVITATIONS = "/v1/invitations"

PAGING = parameters("accounts", PAGE, MOST_IN_PAGE)


class AccountDesk:
    """What each request means to the service."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def list(self, asked: Asked[None]) -> AccountList:
        limit = limit_of(asked.query, PAGE, MOST_IN_PAGE)
        return await self._accounts.list(asked.actor, asked.query.get("after", ""), limit)

    async def create(self, asked: Asked[AccountCreate]) -> Account:
        return await self._accounts.create(asked.actor, asked.body)

    async def show(self, asked: Asked[None]) -> Account:
        return await self._accounts.show(asked.actor, asked.id)

    async def update(self, asked: Asked[AccountUpdate]) -> Account:
        return await self._accounts.update(asked.actor, asked.id, asked.body)


class InvitationDesk:
    def __init__(self, invitations: Invitations) -> None:
        self._invitations = invitations

    async def list(self, asked: Asked[None]) -> InvitationList:
        return await self._invitations.list()

    async def create(self, asked: Asked[InvitationCreate]) -> CreatedInvitation:
        return await self._invitations.create(asked.actor, asked.body)

    async def revoke(self, asked: Asked[None]) -> Invitation:
        return await self._invitations.revoke(asked.actor, asked.id)


def endpoints(accounts: Accounts, invitations: Invitations, desk: Desk) -> list[Endpoint]:
    account, invitation = AccountDesk(accounts), InvitationDesk(invitations)
    one, inviting = f"{PATH}/{{id}}", management("invitations:write")
    return [
        desk.endpoint(
            "GET",
            PATH,
            "List the accounts that the key reaches",
            account.list,
            management("accounts:read"),
            AccountList,
            query=PAGING,
        ),
        desk.endpoint(
            "POST",
            PATH,
            "Make an account",
            account.create,
            management("accounts:manage"),
            Account,
            body=AccountCreate,
            errors=("conflict", "overloaded"),
        ),
        desk.endpoint(
            "GET",
            one,
            "Show an account; `me` is that of the key",
            account.show,
            management("accounts:read"),
            Account,
            errors=("not_found",),
        ),
        desk.endpoint(
            "PATCH",
            one,
            "Change an account",
            account.update,
            management("accounts:write"),
            Account,
            body=AccountUpdate,
            errors=("not_found", "conflict"),
        ),
        desk.endpoint(
            "GET",
            INVITATIONS,
            "List the invitations",
            invitation.list,
            inviting,
            InvitationList,
        ),
        desk.endpoint(
            "POST",
            INVITATIONS,
            "Invite somebody to register",
            invitation.create,
            inviting,
            CreatedInvitation,
            body=InvitationCreate,
        ),
        desk.endpoint(
            "DELETE",
            f"{INVITATIONS}/{{id}}",
            "Take an invitation back",
            invitation.revoke,
            inviting,
            Invitation,
            errors=("not_found",),
        ),
    ]
