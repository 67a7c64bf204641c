"""What the server says of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.wire.models import Health, ModelInfo, ModelList, TaskInfo, TaskList

from .fields import Out


class Models(Generic[Out]):
    """The models on the server's machine."""

    def __init__(self, run: Callable[[Call[list[ModelInfo]]], Out]) -> None:
        self._run = run

    def __call__(self, *, timeout: Timeout = UNSET) -> Out:
        """Every model with its kind, tasks, context, size and state."""
        return self._run(Call("/v1/models", _read_models, timeout=timeout))


class Tasks(Generic[Out]):
    """The tasks that the server offers."""

    def __init__(self, run: Callable[[Call[list[TaskInfo]]], Out]) -> None:
        self._run = run

    def __call__(self, *, timeout: Timeout = UNSET) -> Out:
        """Every task with its path, default model and JSON schemas."""
        return self._run(Call("/v1/tasks", _read_tasks, timeout=timeout))


class HealthCheck(Generic[Out]):
    """Whether the server can work."""

    def __init__(self, run: Callable[[Call[Health]], Out]) -> None:
        self._run = run

    def __call__(self, *, timeout: Timeout = UNSET) -> Out:
        """The server's own word on itself: `ok`, `starting` or `stopping`. Needs no key."""
        read = Health.model_validate_json
        return self._run(Call("/health/ready", read, timeout=timeout, any_status=True))


def _read_models(body: bytes) -> list[ModelInfo]:
    return ModelList.model_validate_json(body).data


def _read_tasks(body: bytes) -> list[TaskInfo]:
    return TaskList.model_validate_json(body).tasks
