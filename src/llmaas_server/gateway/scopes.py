"""What a new key may be given: names that exist, and never more than the one who makes it has."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from llmaas_client.wire import TASKS
from llmaas_client.wire.keys import ANY
from llmaas_server.errors import Problem

from .actions import ACTIONS
from .principals import Permit


def check_tasks(names: Iterable[str] | None) -> None:
    """Raises Problem `invalid_request`."""
    _check(names or (), TASKS, "tasks")


def granted(asked: Collection[str], most: Permit, whole: Permit) -> tuple[str, ...]:
    """The actions of a new key. `most` is what its maker may give, `whole` what its account may
    have. Raises Problem `invalid_request`, `not_allowed`.
    """
    if not asked:
        raise Problem(
            "invalid_request",
            "a management key without actions can do nothing",
            hint=f"Name some of: {ANY}, {', '.join(ACTIONS)}.",
            param="actions",
        )
    _check(asked, ACTIONS, "actions")
    most = most & whole
    if ANY in asked:
        # All, and not more than the maker has: then those are named.
        return (ANY,) if most == whole else tuple(sorted(most.names or ()))
    check_within(asked, most)
    return tuple(dict.fromkeys(asked))


def check_within(actions: Iterable[str], most: Permit) -> None:
    """Raises Problem `not_allowed` where somebody would get more than they have."""
    beyond = [name for name in actions if name not in most]
    if beyond:
        raise Problem(
            "not_allowed",
            f"nobody gives what they may not do themselves: {', '.join(beyond)}",
            param="actions",
        )


def _check(names: Iterable[str], known: Collection[str], param: str) -> None:
    unknown = [name for name in names if name != ANY and name not in known]
    if unknown:
        raise Problem(
            "invalid_request",
            f"{param}: there is no {unknown[0]!r}; there are: {ANY}, {', '.join(known)}",
            param=param,
        )
