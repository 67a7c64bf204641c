"""Words of anybody's inside of tags."""

from __future__ import annotations

import re
from html import escape

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """Text that is no markup, without the characters that XML has no place for."""
    return escape(_NO_XML.sub("", text))
