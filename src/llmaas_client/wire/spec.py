"""The type of a task: its name and the shapes of its request and result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from .base import Result, TaskRequest

RequestT = TypeVar("RequestT", bound=TaskRequest)
ResultT = TypeVar("ResultT", bound=Result)


@dataclass(frozen=True, slots=True)
class TaskSpec(Generic[RequestT, ResultT]):
    """What a client and a server must agree on to run a task."""

    name: str
    request: type[RequestT]
    result: type[ResultT]
    streams: bool
    """Whether `"stream": true` gives server-sent events; elsewhere the field does not exist."""
    like: str | None = None
    """The task that is served by the same models, where this one has no default of its own."""

    @property
    def ability(self) -> str:
        """The task that a model must be able to do for this one."""
        return self.like or self.name

    @property
    def path(self) -> str:
        return f"/v1/tasks/{self.name}"
