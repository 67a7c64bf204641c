"""What a key looks like. Pure; what is not a key is told without any look-up.

    llmaas_sk_0123456789ab_<secret: 256 bits, 43 characters><checksum: 6 characters>

The public id finds the key, the secret proves it, the checksum (CRC-32 of all before it) tells a
mistyped or cut key, and lets secret scanners be sure. Underscores keep it one word for a double
click.
"""

from __future__ import annotations

import re
import secrets
import zlib
from dataclasses import dataclass, field

from llmaas_client.wire.keys import PATTERN
from llmaas_server.storage.keys import KeyKind

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_BITS = 256
SECRET_LENGTH = 43
CHECKSUM_LENGTH = 6
LENGTH = 72
"""Of every key."""

_MARKS: dict[KeyKind, str] = {"inference": "sk", "management": "mk"}
_KINDS = {mark: kind for kind, mark in _MARKS.items()}
_FORM = re.compile(PATTERN)


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A text that has the form of a key; whether there is such a key is another question."""

    kind: KeyKind
    id: str
    """`key_0123456789ab`."""
    text: str = field(repr=False)


def mint(kind: KeyKind, key_id: str) -> str:
    """A new key with this id."""
    public = key_id.removeprefix("key_")
    secret = _base62(secrets.randbits(SECRET_BITS), SECRET_LENGTH)
    start = f"llmaas_{_MARKS[kind]}_{public}_{secret}"
    return start + _checksum(start)


def parse(text: str) -> ParsedKey | None:
    """None where the text is not, letter by letter, a key that could have been minted."""
    if len(text) != LENGTH or not _FORM.fullmatch(text):
        return None
    start = text[:-CHECKSUM_LENGTH]
    if _checksum(start) != text[-CHECKSUM_LENGTH:]:
        return None
    _, mark, public, _ = text.split("_")
    return ParsedKey(_KINDS[mark], f"key_{public}", text)


def _checksum(start: str) -> str:
    return _base62(zlib.crc32(start.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(BASE62))
        digits.append(BASE62[digit])
    return "".join(reversed(digits))
