"""Complete: how a text goes on, without the template of a conversation around it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from .base import Result, Texts, WireModel, invalid
from .chat import TokenLogprob
from .sampling import Sampled
from .spec import TaskSpec

MAX_COMPLETIONS = 256
"""Of one request: its texts times `n`."""


class CompleteRequest(Sampled):
    """Texts to go on with, each for itself."""

    text: Texts = Field(description="Read as text: what looks like a control token is none.")

    @model_validator(mode="after")
    def _not_too_many(self) -> CompleteRequest:
        count = self.n * (1 if isinstance(self.text, str) else len(self.text))
        if count > MAX_COMPLETIONS:
            raise invalid(f"{count} answers, and {MAX_COMPLETIONS} is the most", "n")
        return self


class Completion(WireModel):
    """What follows a text. `finish_reason` is `length` where max_tokens or the context ended it."""

    text: str
    finish_reason: Literal["stop", "length"]
    logprobs: list[TokenLogprob] | None = None


class CompleteResult(Result):
    """`n` completions for each text, in the order of the texts."""

    completions: list[Completion]


SPEC = TaskSpec("complete", CompleteRequest, CompleteResult, streams=True)
