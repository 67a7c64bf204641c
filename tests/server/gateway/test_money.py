"""Money goes to text and back without a loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmaas_server.errors import Problem
from llmaas_server.gateway.money import MOST, from_text, to_text


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("0", 0),
        ("1", 1_000_000_000),
        ("0.0015", 1_500_000),
        ("0.000000001", 1),
        ("20", 20_000_000_000),
        ("9223372036.854775807", MOST),
    ],
)
def test_text_and_number(text: str, nano: int) -> None:
    assert from_text(text) == nano
    assert to_text(nano) == text


@given(st.integers(0, MOST))
def test_there_and_back(nano: int) -> None:
    assert from_text(to_text(nano)) == nano


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1.", ".5", "1e3", "1,5", " 1", "1\n", "0.0000000001", "\u0661", "9223372037"],
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(Problem) as caught:
        from_text(text, param="amount")
    assert (caught.value.code, caught.value.param) == ("invalid_request", "amount")
