"""Who may use an address, by kind of key and by what it is for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmaas_server.errors import Problem
from llmaas_server.gateway.access import ANY_KEY, PUBLIC, Access, management, task
from llmaas_server.gateway.actions import ACTIONS, OPERATOR, OWN
from llmaas_server.gateway.principals import EVERYTHING, NOTHING, Permit, Principal, actions_of
from llmaas_server.gateway.scopes import granted

INFERENCE = Principal("key_i", "inference", "acc", "app", tasks=Permit.of(["chat"]))
MANAGEMENT = Principal("key_m", "management", "acc", None, actions=Permit.of(["keys:read"]))


@pytest.mark.parametrize(
    ("access", "principal"),
    [
        (PUBLIC, INFERENCE),
        (ANY_KEY, INFERENCE),
        (ANY_KEY, MANAGEMENT),
        (task("chat"), INFERENCE),
        (management("keys:read"), MANAGEMENT),
    ],
)
def test_may(access: Access, principal: Principal) -> None:
    access.check(principal)
    assert str(access).startswith("Needs")


@pytest.mark.parametrize(
    ("access", "principal", "words"),
    [
        (task("embed"), INFERENCE, "it is for: chat"),
        (management("keys:write"), MANAGEMENT, "it is for: keys:read"),
        (task("chat"), MANAGEMENT, "of kind management"),
        (management("keys:read"), INFERENCE, "of kind inference"),
    ],
)
def test_may_not(access: Access, principal: Principal, words: str) -> None:
    with pytest.raises(Problem, match=words) as raised:
        access.check(principal)
    assert raised.value.code == "not_allowed"


def test_kinds_never_overlap() -> None:
    """Whatever is in its scopes, a key of one kind is refused where the other is asked for."""
    all_of_it = Principal(
        "key", "management", "acc", "app", EVERYTHING, EVERYTHING, EVERYTHING, is_operator=True
    )
    with pytest.raises(Problem):
        task("chat").check(all_of_it)
    for action in ACTIONS:
        with pytest.raises(Problem):
            management(action).check(replace(all_of_it, kind="inference"))


def test_unknown_actions_are_mistakes() -> None:
    with pytest.raises(ValueError, match="keys:eat"):
        management("keys:eat")


def test_actions_have_one_owner() -> None:
    assert not set(OWN) & set(OPERATOR)


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        (EVERYTHING, EVERYTHING, EVERYTHING),
        (EVERYTHING, Permit.of("ab"), Permit.of("ab")),
        (Permit.of("ab"), EVERYTHING, Permit.of("ab")),
        (Permit.of("ab"), Permit.of("bc"), Permit.of("b")),
        (NOTHING, EVERYTHING, NOTHING),
        (Permit.of(["*", "a"]), Permit.of(None), EVERYTHING),
    ],
)
def test_permits(left: Permit, right: Permit, both: Permit) -> None:
    assert left & right == both


OWNERS, OPERATORS = actions_of(False), actions_of(True)


@pytest.mark.parametrize(
    ("asked", "most", "whole", "given"),
    [
        (["keys:read"], OWNERS, OWNERS, ("keys:read",)),
        (["*"], OWNERS, OWNERS, ("*",)),
        (["*"], OPERATORS, OWNERS, ("*",)),
        (["*"], OPERATORS, OPERATORS, ("*",)),
        (["*"], Permit.of(["keys:write", "keys:read"]), OWNERS, ("keys:read", "keys:write")),
        (["keys:read", "keys:read"], OWNERS, OWNERS, ("keys:read",)),
    ],
)
def test_what_a_new_key_gets(
    asked: list[str], most: Permit, whole: Permit, given: tuple[str, ...]
) -> None:
    assert granted(asked, most, whole) == given


@pytest.mark.parametrize(
    ("asked", "most", "whole", "code"),
    [
        ([], OPERATORS, OPERATORS, "invalid_request"),
        (["keys:eat"], OPERATORS, OPERATORS, "invalid_request"),
        (["keys:write"], Permit.of(["keys:read"]), OWNERS, "not_allowed"),
        (["prices:write"], OWNERS, OWNERS, "not_allowed"),
        # The operator cannot give away what no other account may have.
        (["prices:write"], OPERATORS, OWNERS, "not_allowed"),
    ],
)
def test_what_no_new_key_gets(asked: list[str], most: Permit, whole: Permit, code: str) -> None:
    with pytest.raises(Problem) as raised:
        granted(asked, most, whole)
    assert raised.value.code == code
