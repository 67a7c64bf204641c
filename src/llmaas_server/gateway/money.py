"""Money: whole nano-units, 10^-9 of the unit that prices are in. Never a float.

Amounts are 64-bit integers: 9.2 thousand million units, in steps of a thousand-millionth.
"""

from __future__ import annotations

import re

from llmaas_server.errors import Problem

UNIT = 1_000_000_000
MOST = 2**63 - 1

_FORM = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,9}))?")


def to_text(nano: int) -> str:
    """A decimal number without a loss: 1500000 -> "0.0015"."""
    whole, part = divmod(nano, UNIT)
    return f"{whole}.{part:09}".rstrip("0").rstrip(".")


def from_text(text: str, param: str | None = None) -> int:
    """Nano-units of a decimal number such as "0.15". Raises Problem `invalid_request`."""
    found = _FORM.fullmatch(text)
    nano = found and int(found[1]) * UNIT + int((found[2] or "").ljust(9, "0"))
    if nano is None or nano > MOST:
        raise Problem(
            "invalid_request",
            f"{text!r} is not an amount of money",
            hint='Send a decimal number in quotes, with at most nine decimals, such as "0.15".',
            param=param,
        )
    return nano
