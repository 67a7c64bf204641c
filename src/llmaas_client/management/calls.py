"""Calls that manage: addresses with ids and queries in them, bodies of what was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from llmaas_client.steps import Call, Method, T, Timeout, Unset
from llmaas_client.tasks.fields import given, plain
from llmaas_client.wire.base import Request

Amount: TypeAlias = str | int | Decimal
"""Of money. Floats are refused: they have not the value that is written."""

Run: TypeAlias = Callable[[Call[Any]], Any]
"""Gives the result of a call, or a coroutine of it: the same for all calls of one client."""


def get(
    path: str, read: Callable[[bytes], T], timeout: Timeout, query: Mapping[str, Any] | None = None
) -> Call[T]:
    """Ask for something; what is None in the query is left out."""
    words = urlencode({name: value for name, value in (query or {}).items() if value is not None})
    return Call(f"{path}?{words}" if words else path, read, timeout=timeout, key="management")


def send(
    method: Method,
    path: str,
    body: type[Request],
    fields: Mapping[str, Any],
    read: Callable[[bytes], T],
    timeout: Timeout,
) -> Call[T]:
    """Send a body of `fields`."""
    return Call(
        path,
        read,
        request=lambda: body.model_validate(fields),
        timeout=timeout,
        method=method,
        key="management",
    )


def delete(path: str, read: Callable[[bytes], T], timeout: Timeout) -> Call[T]:
    return Call(path, read, timeout=timeout, method="DELETE", key="management")


def at(path: str, name: str, *more: str) -> str:
    """The address of one thing; an id cannot lead elsewhere."""
    return "/".join([path, quote(name, safe=""), *more])


def changed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What was named is changed; None then takes away what was there."""
    return {name: plain(value) for name, value in fields.items() if not isinstance(value, Unset)}


def amount(value: Amount | None) -> Any:
    """As the wire has it; what is no amount is left for the wire to refuse."""
    match value:
        case Decimal():
            return format(value, "f")
        case int():
            return str(value)
        case _:
            return value


__all__ = ["Amount", "Run", "amount", "at", "changed", "delete", "get", "given", "send"]
