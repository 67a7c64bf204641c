"""What is known of a request before its handler runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Scope

from llmaas_server.gateway.principals import Actor, Principal
from llmaas_server.gateway.sessions import Session
from llmaas_server.gateway.tracing import UNTRACED, Trace

_CONTEXT = "llmaas.context"
_PRINCIPAL = "llmaas.principal"
_ACTOR = "llmaas.actor"
_SESSION = "llmaas.session"
_STATUSES = "llmaas.statuses"

Statuses = Mapping[int, int]
"""For clients of another wire, which know other statuses: ours -> theirs."""


@dataclass(frozen=True, slots=True)
class Context:
    """Made where a request comes in."""

    request_id: str
    started: float
    """On the clock of time.perf_counter()."""
    trace: Trace = UNTRACED


def set_context(scope: Scope, context: Context) -> None:
    scope[_CONTEXT] = context


def get_context(scope: Scope) -> Context:
    context: Context = scope[_CONTEXT]
    return context


def set_principal(scope: Scope, principal: Principal) -> None:
    scope[_PRINCIPAL] = principal


def get_principal(scope: Scope) -> Principal:
    """Who is calling; there is always someone, except at public addresses."""
    principal: Principal = scope[_PRINCIPAL]
    return principal


def find_principal(scope: Scope) -> Principal | None:
    return scope.get(_PRINCIPAL)


def set_actor(scope: Scope, actor: Actor) -> None:
    """For one who manages without a key."""
    scope[_ACTOR] = actor


def find_actor(scope: Scope) -> Actor | None:
    return scope.get(_ACTOR)


def set_statuses(scope: Scope, statuses: Statuses) -> None:
    """What errors of this request are told with."""
    scope[_STATUSES] = statuses


def get_statuses(scope: Scope) -> Statuses:
    statuses: Statuses = scope.get(_STATUSES, {})
    return statuses


def set_session(scope: Scope, session: Session) -> None:
    """For one who comes by a browser."""
    scope[_SESSION] = session


def find_session(scope: Scope) -> Session | None:
    return scope.get(_SESSION)
