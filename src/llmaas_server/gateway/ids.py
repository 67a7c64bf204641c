"""Ids that say what they name: `acc_0123456789ab`."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter looks like a digit, and none spells words with them."""

LENGTH = 12


def new_id(prefix: str) -> str:
    """60 random bits: unique for all that one server will ever hold; no secret."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"
