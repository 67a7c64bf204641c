"""What a call would cost, asked before it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.wire import TASKS
from llmaas_client.wire.base import TaskRequest
from llmaas_client.wire.prices import Quote

from .fields import Out, given


class AskPrice(Generic[Out]):
    """The most that a call can cost: measured by the server, and not run.

    client.price("embed", text="How much is this?").cost
    """

    def __init__(self, run: Callable[[Call[Quote]], Out]) -> None:
        self._run = run

    def __call__(self, task: str, *, timeout: Timeout = UNSET, **fields: Any) -> Out:
        """Ask for a price.

        Args:
            task: The name of a task, such as `chat`.
            timeout: Seconds for the whole call with all its retries; None is no limit.
            **fields: The request as the wire has it: `messages`, `max_tokens`, `text`, ….

        Raises:
            ValueError: there is no such task.
            LLMaaSError: as the tree in `llmaas_client.errors` shows.
        """
        if task not in TASKS:
            raise ValueError(f"there is no task {task!r}; there are: {', '.join(TASKS)}")
        spec = TASKS[task]

        def request() -> TaskRequest:
            asked: TaskRequest = spec.request.model_validate(given(fields))
            return asked

        return self._run(
            Call(
                path=f"{spec.path}/price",
                request=request,
                read=Quote.model_validate_json,
                timeout=timeout,
            )
        )
