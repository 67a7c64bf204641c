"""The contract: requests, results, events, errors and usage of every task.

Pydantic and the standard library only. Both sides import it; it imports neither.
"""

from __future__ import annotations

from typing import Any

from . import chat, classifiers, classify, embed, summarize
from .spec import TaskSpec

TASKS: dict[str, TaskSpec[Any, Any]] = {
    spec.name: spec for spec in (classify.SPEC, summarize.SPEC, chat.SPEC, embed.SPEC)
}

JOBS: dict[str, TaskSpec[Any, Any]] = {classifiers.SPEC.name: classifiers.SPEC}
"""What runs and is charged as tasks are, behind addresses of its own."""

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
