"""What a task is: text in, text out, over the runtime.

A task is one file `tasks/<name>.py` with an object `TASK`, and its shapes in the wire. `prompt`
and the reading of what comes back are pure; only `run` touches the runtime.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from llmaas_client.wire import JOBS, TASKS, TaskSpec
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam.values import Delta, Progress, Result


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a task runs, and until when (on the clock of time.monotonic())."""

    tenant: str = ""
    deadline: float | None = None
    call: str = ""
    """The id of the call: what is named in its result is named after it."""


class Prompt(Protocol):
    """A request turned into tokens, and what it can cost at most."""

    @property
    def prompt_tokens(self) -> int: ...
    @property
    def max_completion_tokens(self) -> int: ...


class Task(Protocol):
    """One task. `Any` stands for the task's own request and prompt types."""

    @property
    def spec(self) -> TaskSpec[Any, Any]: ...

    def prompt(self, request: Any, model: Model, embedder: Model | None) -> Any:
        """Tokenize: pure, runs in a thread, returns a `Prompt`.

        `embedder` makes sentence vectors, for tasks whose own model cannot; see `Call.embedder`.
        Raises Problem: `context_overflow`, `model_cannot_do_task`, `model_has_no_head`,
        `unsupported_parameter`, `too_many_labels`, ...
        """

    def run(
        self, prompt: Any, model: Model, runtime: Runtime, caller: Caller
    ) -> AsyncGenerator[Delta | Progress | Result, None]:
        """Yield events as they come, and one `Result` last. Closing the generator stops the work.

        Deltas are yielded whether the caller streams or not; the worker drops them for one
        that does not.
        """


def find(name: str) -> Task:
    """The task or job of that name. Raises Problem `not_found`."""
    if name not in TASKS and name not in JOBS:
        raise Problem("not_found", f"there is no task {name!r}; there are: {', '.join(TASKS)}")
    task: Task = import_module(f"llmaas_server.tasks.{name}").TASK
    return task
