"""A worker opens no connection: the interpreter itself refuses."""

from __future__ import annotations

import sys
from typing import Any

_FORBIDDEN = frozenset(
    {
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.sendto",
    }
)
"""Audit events, as the table of them in Python's documentation names them."""


def forbid_connections() -> None:
    """From now on, and for good, opening a connection or looking up a host raises."""
    sys.addaudithook(_refuse)


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if event in _FORBIDDEN:
        raise PermissionError(f"{event}: a worker opens no connection")
