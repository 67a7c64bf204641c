"""The contract: requests, results, events, errors and usage of every task.

Pydantic and the standard library only. Both sides import it; it imports neither. The shapes of a
task are loaded when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .spec import TaskSpec as TaskSpec

    TASKS: dict[str, TaskSpec[Any, Any]]
    JOBS: dict[str, TaskSpec[Any, Any]]

DEADLINE_HEADER = "llmaas-deadline-ms"
"""Milliseconds that the caller will still wait; the server stops the work when they are over."""

REQUEST_ID_HEADER = "x-request-id"
IDEMPOTENCY_HEADER = "idempotency-key"

__all__ = [
    "DEADLINE_HEADER",
    "IDEMPOTENCY_HEADER",
    "JOBS",
    "REQUEST_ID_HEADER",
    "TASKS",
    "TaskSpec",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in ("TASKS", "JOBS", "TaskSpec"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from . import every

        value = getattr(every, name)
        globals()[name] = value
        return value
