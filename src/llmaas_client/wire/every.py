"""Every task with its shapes."""

from __future__ import annotations

from typing import Any

from . import chat, classifiers, classify, complete, decide, embed, summarize
from .spec import TaskSpec

TASKS: dict[str, TaskSpec[Any, Any]] = {
    spec.name: spec for spec in (classify.SPEC, summarize.SPEC, chat.SPEC, embed.SPEC)
}

JOBS: dict[str, TaskSpec[Any, Any]] = {
    spec.name: spec for spec in (classifiers.SPEC, complete.SPEC, decide.SPEC)
}
"""What runs and is charged as tasks are, behind addresses of its own."""
