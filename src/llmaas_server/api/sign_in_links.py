"""`/v1/sign-in-links`: into the console without a password, from the server's own machine."""

from __future__ import annotations

from llmaas_client.wire.accounts import SignInLink
from llmaas_server.gateway.access import management
from llmaas_server.gateway.sign_in_links import SECONDS, SignInLinks

from .endpoint import Endpoint
from .managing import Asked, Desk

ENTRANCE = "/console/enter"


def path_of(token: str) -> str:
    return f"{ENTRANCE}?token={token}"


def endpoint(links: SignInLinks, desk: Desk) -> Endpoint:
    async def create(asked: Asked[None]) -> SignInLink:
        token = await links.create(asked.actor)
        return SignInLink(path=path_of(token), expires_in=SECONDS)

    return desk.endpoint(
        "POST",
        "/v1/sign-in-links",
        "Get a link that signs the owner of the account in to the console, once",
        create,
        management("keys:write"),
        SignInLink,
        errors=("not_found", "not_allowed"),
    )
