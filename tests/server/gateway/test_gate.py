"""How many are let in."""

from __future__ import annotations

import pytest

from llmaas_server.errors import Problem
from llmaas_server.gateway.gate import Gate


@pytest.fixture
def gate() -> Gate:
    return Gate(max_queue=2)


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
