"""The workers of a server: which there are, and one more."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import Request, WireModel

WorkerState = Literal["starting", "ready", "draining"]


class WorkerRequest(Request):
    """The body of `POST /v1/workers`."""

    device: str = Field(
        pattern=r"^(cpu|cuda(:\d+)?)$",
        max_length=16,
        description="Where it computes: `cpu`, `cuda` or `cuda:N`.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="For arithmetic on the CPU. Without it the worker takes its share of the "
        "cores; the others keep what they have.",
    )


class WorkerInfo(WireModel):
    """One worker. `draining` means: it takes no new calls, and ends with its last."""

    name: str
    device: str
    threads: int | None = Field(
        default=None, description="For arithmetic on the CPU; null is one per physical core."
    )
    state: WorkerState
    running: int = Field(description="Calls measured or running.")
    restarts: int = Field(description="How often it ended and was started again.")
    models: list[str] = Field(description="The models in its memory.")
    detail: str = Field(default="", description="Why it is not ready.")


class WorkerList(WireModel):
    workers: list[WorkerInfo]
