"""What a map is to do: a task with its arguments, its inputs, and how to go about it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sized
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, cast

from llmaas_client.wire.base import MAX_TEXTS

if TYPE_CHECKING:
    from llmaas_client.steps import Call

    from .progress import OnProgress

In = TypeVar("In")
Val = TypeVar("Val")

OnError: TypeAlias = Literal["raise", "return", "skip"]
Concurrency: TypeAlias = int | Literal["auto"]

TEXTS = 32
"""Of one request, for tasks that take several."""
MOST_AT_ONCE = 32
"""Requests under way: far fewer than a client has connections."""


@dataclass(frozen=True, slots=True)
class Work(Generic[In, Val]):
    """A task with its arguments, as plain functions."""

    task: str
    call: Callable[[list[In]], Call[Any]]
    """One request for these inputs."""
    split: Callable[[Any], list[Val]]
    """Its result as one value for each input."""
    most: int
    """Inputs of one request, unless the caller says otherwise; 1 for tasks that take one."""
    example: In
    """An input that is always valid, to check the arguments with before anything is sent."""
    field: str
    """The field of the request that has the inputs."""
    dump: Callable[[Val], Any]
    """A value as plain data, for a checkpoint."""
    load: Callable[[Any, In], Val]
    """The value again, from plain data and its input."""
    row: Callable[[Val], Mapping[str, Any]]
    """A value as columns of a table."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a map goes about its work."""

    concurrency: Concurrency
    batch_size: int | None
    on_error: OnError
    progress: bool | OnProgress
    checkpoint: str | PathLike[str] | None
    ordered: bool = True

    def __post_init__(self) -> None:
        if self.concurrency != "auto" and not 1 <= self.concurrency <= MOST_AT_ONCE:
            raise ValueError(f'concurrency is "auto", or 1 to {MOST_AT_ONCE}')
        if self.batch_size is not None and not 1 <= self.batch_size <= MAX_TEXTS:
            raise ValueError(f"batch_size is 1 to {MAX_TEXTS}")
        if self.on_error not in ("raise", "return", "skip"):
            raise ValueError('on_error is "raise", "return" or "skip"')


@dataclass(frozen=True, slots=True)
class Job(Generic[In, Val]):
    """All of a map."""

    work: Work[In, Val]
    inputs: Iterable[In] | AsyncIterable[In]
    options: Options

    def __post_init__(self) -> None:
        """Refuse what can be iterated over, but is not many inputs."""
        inputs, kind = self.inputs, type(self.inputs).__name__
        if isinstance(inputs, str | bytes | Mapping):
            raise TypeError(
                f"map takes many inputs, not a {kind}; for one, call client.{self.work.task}(…)"
            )
        if hasattr(inputs, "columns"):
            raise TypeError('map takes a column, not a table: map(table["text"], …)')
        if not (hasattr(inputs, "__iter__") or hasattr(inputs, "__aiter__")):
            raise TypeError(f"map takes an iterable of inputs, not a {kind}")

    @property
    def total(self) -> int | None:
        """How many inputs there are; None where only the last one tells."""
        try:
            return len(cast("Sized", self.inputs))
        except TypeError:
            return None

    @property
    def index(self) -> Any:
        """The labels of the rows of a pandas column; None for anything else."""
        return self.inputs.index if hasattr(self.inputs, "iloc") else None  # type: ignore[union-attr]
