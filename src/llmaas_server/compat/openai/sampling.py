"""What every request of theirs has that makes a model write."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import Field

from llmaas_client.wire.base import Request
from llmaas_client.wire.sampling import Sampled

from .fields import Body

SEEDS = 2**63
"""Ours are not negative; theirs may be: each of them is one of ours."""

SampledT = TypeVar("SampledT", bound=Sampled)


class StreamOptions(Request):
    include_usage: bool = False
    include_obfuscation: bool = False


class SampledBody(Body):
    """How to sample, and whether to stream."""

    model: str
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    top_k: int | None = Field(default=None, description="An addition of ours.")
    min_p: float | None = Field(default=None, description="An addition of ours.")
    repetition_penalty: float | None = Field(default=None, description="An addition of ours.")

    @property
    def with_usage(self) -> bool:
        """Whether a stream says at its end what was used."""
        return self.stream_options is not None and self.stream_options.include_usage

    def asking(self, kind: type[SampledT], fields: dict[str, Any]) -> SampledT:
        """Our request, of `fields` and of how to sample; what is None is left out.

        Raises ValidationError.
        """
        sampling = {
            "model": self.model,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "min_p": self.min_p,
            "repetition_penalty": self.repetition_penalty,
            "seed": None if self.seed is None else self.seed % SEEDS,
            "stream": self.stream,
        }
        given = {name: value for name, value in (sampling | fields).items() if value is not None}
        return kind.model_validate(given)
