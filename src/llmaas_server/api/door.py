"""Who comes in, and how far: asks the key ring, and notes whom it refuses."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import Scope

from llmaas_server.errors import Problem
from llmaas_server.gateway.access import Access
from llmaas_server.gateway.keyring import KeyRing
from llmaas_server.gateway.principals import Actor, Principal
from llmaas_server.gateway.refusals import Refusals
from llmaas_server.gateway.sessions import Sessions
from llmaas_server.gateway.trail import Entry
from llmaas_server.storage.keys import KeyKind

from .context import find_actor, find_session, get_principal, set_session
from .cookies import CSRF_HEADER, SAFE, check_csrf, check_same_origin, token_of

ACTION = "access.refused"
MOST_OF_A_PATH = 200

ASKED_AGAIN = frozenset(
    {
        "accounts:manage",
        "accounts:write",
        "invitations:write",
        "keys:write",
        "prices:write",
        "records:write",
    }
)
"""Actions for which a session must have given the password a short while ago."""


class Door:
    """What `Authenticate` and every endpoint ask."""

    def __init__(self, ring: KeyRing, sessions: Sessions, refusals: Refusals) -> None:
        self._ring = ring
        self._sessions = sessions
        self._refusals = refusals

    async def identify(self, scope: Scope, kind: Callable[[Scope], KeyKind]) -> Principal:
        """By the key that is sent; without one by the session of a browser, which has keys of
        both kinds and acts by that which the address takes: `kind` says which one.

        Raises Problem `missing_key`, `invalid_key`, `rate_limited`, `not_allowed`.
        """
        authorization = Headers(scope=scope).get("authorization")
        token = token_of(scope) if authorization is None else None
        try:
            if token is not None:
                return await self._visitor(scope, token, kind)
            return await self._ring.identify(authorization, address_of(scope))
        except Problem as problem:
            self._note(scope, problem, None)
            raise

    def check(self, scope: Scope, access: Access) -> None:
        """Raises Problem `not_allowed`."""
        principal = get_principal(scope)
        try:
            access.check(principal)
            self._check_confirmed(scope, access)
        except Problem as problem:
            self._note(scope, problem, principal)
            raise

    async def _visitor(
        self, scope: Scope, token: str, kind: Callable[[Scope], KeyKind]
    ) -> Principal:
        session = await self._sessions.find(token)
        if session is None:
            raise Problem(
                "missing_key", "the session is over", hint="Sign in to the console again."
            )
        if scope["method"] not in SAFE:
            check_same_origin(scope)
            check_csrf(Headers(scope=scope).get(CSRF_HEADER), session.csrf)
        set_session(scope, session)
        if kind(scope) == "management":
            return session.management
        return await self._sessions.inference(session)

    def _check_confirmed(self, scope: Scope, access: Access) -> None:
        session = find_session(scope)
        if session is None or scope["method"] in SAFE or session.confirmed:
            return
        if access.name in ASKED_AGAIN:
            raise Problem(
                "not_allowed",
                "this needs the password once more",
                hint="Give it on the page, or at /console/confirm.",
                param="password",
            )

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
