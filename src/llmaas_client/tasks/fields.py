"""Arguments as the wire has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from llmaas_client.wire.base import Result

Texts: TypeAlias = str | Sequence[str]

Out = TypeVar("Out")
"""What calling a task gives: a result, or a coroutine of one."""
Live = TypeVar("Live")
"""What streaming gives: a `Stream` or an `AsyncStream`."""


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What is left out is not sent, so that the server's own defaults hold."""
    return {name: plain(value) for name, value in fields.items() if value is not None}


def plain(value: Any) -> Any:
    """JSON has one kind of sequence. What is no sequence is left for the wire to refuse."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [*value]  # pyright: ignore[reportUnknownVariableType]
    return value


ResultT = TypeVar("ResultT", bound=Result)


def reading(kind: type[ResultT], texts: Texts) -> Callable[[bytes], ResultT]:
    """Reads a result, and notes what it is about, for what shows it."""

    def read(body: bytes) -> ResultT:
        result = kind.model_validate_json(body)
        result._about = (texts,) if isinstance(texts, str) else tuple(texts)  # pyright: ignore[reportPrivateUsage]
        return result

    return read
