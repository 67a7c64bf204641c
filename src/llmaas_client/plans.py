"""Plans: what takes several requests, as one flow that a sync and an async client drive alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from .clock import Deadline
from .steps import Call, Flow, T, Timeout


class Ask(Protocol):
    """Makes the flow of one request, to be run by `yield from`."""

    def __call__(
        self, call: Call[T], *, stream: bool = False, deadline: Deadline | None = None
    ) -> Flow[T]: ...


@dataclass(frozen=True, slots=True)
class Asker:
    """What a plan makes its requests with."""

    ask: Ask
    until: Callable[[Timeout], Deadline]
    """From a timeout as callers give it to the deadline of several requests together."""


Plan: TypeAlias = Callable[[Asker], Flow[T]]
