"""How to sample what a model writes: of every request that makes it write."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from .base import Characters, TaskRequest, invalid

DEFAULT_MAX_TOKENS = 512
"""Of an answer, where a request names none and the context has room for it."""

MAX_STOPS = 16
MAX_ANSWERS = 16

Stop = Annotated[Characters, Field(min_length=1, max_length=256)]


class Sampled(TaskRequest):
    """Fields that are absent take the model's own generation defaults."""

    max_tokens: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description=f"Most tokens to generate; absent: {DEFAULT_MAX_TOKENS}, or what the context "
        "has left.",
    )
    temperature: float | None = Field(default=None, ge=0.0, le=10.0, description="0 is greedy.")
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    top_k: int | None = Field(default=None, ge=1, le=1_000_000)
    min_p: float | None = Field(default=None, ge=0.0, le=1.0)
    repetition_penalty: float | None = Field(default=None, gt=0.0, le=10.0)
    seed: int | None = Field(
        default=None, ge=0, lt=2**63, description="The same seed gives the same text."
    )
    stop: Stop | Annotated[list[Stop], Field(max_length=MAX_STOPS)] | None = Field(
        default=None, description="Text that ends the answer; it is not part of it."
    )
    n: int = Field(default=1, ge=1, le=MAX_ANSWERS, description="How many answers to make.")
    logprobs: bool = Field(default=False, description="Return the log-probability of each token.")
    top_logprobs: int | None = Field(
        default=None, ge=1, le=20, description="Also the k most likely tokens; needs logprobs."
    )
    stream: bool = False

    @model_validator(mode="after")
    def _with_logprobs(self) -> Self:
        if self.top_logprobs is not None and not self.logprobs:
            raise invalid("top_logprobs needs logprobs=true", "top_logprobs")
        return self
