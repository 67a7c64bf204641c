"""How the server is: what waits, what runs, what was done since it started."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import WireModel


class TaskFigures(WireModel):
    """What one task did since the server started."""

    task: str
    calls: int = Field(description="That have ended, however.")
    failed: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    queue_ms: float | None = Field(default=None, description="The mean wait for the first step.")
    prefill_ms: float | None = Field(default=None, description="The mean time to read a prompt.")
    token_ms: float | None = Field(default=None, description="The mean time of a generated token.")


class LaneFigures(WireModel):
    """What the lane of a model in memory does, and has done since the server started."""

    model: str
    lane: str
    running: int = Field(description="Sequences that it has begun.")
    waiting: int = Field(description="Sequences that it has not begun.")
    steps: int
    batch_size: float | None = Field(default=None, description="The mean of sequences in a step.")
    prefill_tokens: int = Field(description="Of prompts and texts, computed in steps.")
    decode_tokens: int = Field(description="Of answers, computed in steps.")
    prefix_queries: int = Field(description="Tokens of prompts looked for among computed ones.")
    prefix_hits: int = Field(description="Tokens of these that were found.")
    preemptions: int = Field(description="Sequences whose keys and values were taken back.")
    kv_used_bytes: int = Field(description="Keys and values that sequences hold.")
    kv_limit_bytes: int = Field(description="Most that they may take; 0 where none are kept.")


class ServerFigures(WireModel):
    """`GET /v1/server`. Totals only grow: two looks make a rate."""

    version: str
    status: Literal["ok", "starting"]
    detail: str = Field(description="Why it is not ready.")
    uptime_seconds: float
    queue: int = Field(description="Calls that wait or run.")
    queue_limit: int
    running: int = Field(description="Calls that workers have.")
    restarts: int
    memory_bytes: int = Field(description="Of all models in memory, keys and values counted.")
    memory_limit: int | None = Field(description="Most that models may take; null is not known.")
    tasks: list[TaskFigures]
    lanes: list[LaneFigures]
