"""Who comes in, and how far: asks the key ring, and notes whom it refuses."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope

from llmaas_server.errors import Problem
from llmaas_server.gateway.access import Access
from llmaas_server.gateway.keyring import KeyRing
from llmaas_server.gateway.principals import Actor, Principal
from llmaas_server.gateway.refusals import Refusals
from llmaas_server.gateway.trail import Entry

from .context import find_actor, get_principal

ACTION = "access.refused"
MOST_OF_A_PATH = 200


class Door:
    """What `Authenticate` and every endpoint ask."""

    def __init__(self, ring: KeyRing, refusals: Refusals) -> None:
        self._ring = ring
        self._refusals = refusals

    async def identify(self, scope: Scope) -> Principal:
        """Raises Problem `missing_key`, `invalid_key`, `rate_limited`."""
        authorization = Headers(scope=scope).get("authorization")
        try:
            return await self._ring.identify(authorization, address_of(scope))
        except Problem as problem:
            self._note(scope, problem, None)
            raise

    def check(self, scope: Scope, access: Access) -> None:
        """Raises Problem `not_allowed`."""
        principal = get_principal(scope)
        try:
            access.check(principal)
        except Problem as problem:
            self._note(scope, problem, principal)
            raise

    def _note(self, scope: Scope, problem: Problem, principal: Principal | None) -> None:
        self._refusals.note(
            Entry(
                "stranger" if principal is None else "key",
                "unknown" if principal is None else principal.key_id,
                ACTION,
                f"{scope['method']} {scope['path'][:MOST_OF_A_PATH]}",
                outcome="refused",
                account_id=None if principal is None else principal.account_id,
                address=address_of(scope),
                detail={"code": problem.code},
            )
        )


def address_of(scope: Scope) -> str | None:
    """Where a request came from."""
    client = scope.get("client")
    return None if client is None else str(client[0])


def actor_of(scope: Scope) -> Actor:
    """The caller as one who manages."""
    return find_actor(scope) or Actor.of(get_principal(scope), address_of(scope))
