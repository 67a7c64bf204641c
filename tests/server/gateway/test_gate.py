"""Who is let in, and how many."""

from __future__ import annotations

import pytest

from llmaas_server.errors import Problem
from llmaas_server.gateway.gate import Gate
from llmaas_server.gateway.keys import KeyRing, digest, mint

KEY = mint()


@pytest.fixture
def gate() -> Gate:
    return Gate(KeyRing((digest(KEY),)), max_queue=2)


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}", f"Bearer  {KEY} "])
def test_known_key(gate: Gate, header: str) -> None:
    principal = gate.identify(header)
    assert principal == gate.identify(f"Bearer {KEY}")
    assert KEY not in repr(principal)
    assert principal.tenant


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "missing_key"),
        ("", "missing_key"),
        ("Bearer", "missing_key"),
        ("Bearer ", "missing_key"),
        (KEY, "missing_key"),
        (f"Basic {KEY}", "invalid_key"),
        (f"Bearer {mint()}", "invalid_key"),
    ],
)
def test_everybody_else(gate: Gate, header: str | None, code: str) -> None:
    with pytest.raises(Problem) as raised:
        gate.identify(header)
    assert raised.value.code == code


def test_full_gate(gate: Gate) -> None:
    with gate.admit(), gate.admit():
        with pytest.raises(Problem) as raised, gate.admit():
            pass
        assert raised.value.code == "overloaded"
        assert raised.value.retry_after
    with gate.admit():
        assert gate.inside == 1
    assert gate.inside == 0


def test_place_comes_back_from_a_call_that_fails(gate: Gate) -> None:
    with pytest.raises(ValueError, match="failed"), gate.admit():
        raise ValueError("failed")
    assert gate.inside == 0
