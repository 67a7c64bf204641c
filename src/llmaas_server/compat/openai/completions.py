"""`POST /v1/completions`: how a text goes on, without a template around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field, model_validator

from llmaas_client.wire.base import TaskRequest, Texts
from llmaas_client.wire.complete import CompleteRequest
from llmaas_client.wire.sampling import MAX_ANSWERS, Stop
from llmaas_server.api.endpoint import EventShape
from llmaas_server.api.translated import Told
from llmaas_server.seam.values import Delta, Result

from . import answers
from .chunks import Chunks
from .fields import need_text
from .pieces import TextCompletionChunk, stream_of
from .refusals import OpenAIFormat
from .sampling import SampledBody
from .shapes import TextChoice, TextCompletion, TextLogprobs

DEFAULT_MAX_TOKENS = 16
"""Theirs, where a request names none."""


class CompletionsBody(SampledBody):
    """The body of `POST /v1/completions`."""

    prompt: Texts
    max_tokens: int | None = None
    n: int = Field(default=1, ge=1, le=MAX_ANSWERS)
    stop: Stop | list[Stop] | None = None
    logprobs: int | None = Field(default=None, ge=0, le=20)

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, given: Any) -> Any:
        need_text(given, "prompt")
        return given


@dataclass(frozen=True, slots=True)
class Completions(OpenAIFormat):
    """Complete, as the OpenAI SDK calls it."""

    path: ClassVar[str] = "/v1/completions"
    summary: ClassVar[str] = "Go on with a text, as the OpenAI SDK calls it"
    body: ClassVar[type[CompletionsBody]] = CompletionsBody
    answer: ClassVar[type[TextCompletion]] = TextCompletion
    events: ClassVar[tuple[EventShape, ...]] = stream_of(TextCompletionChunk)
    task: ClassVar[str] = "chat"
    job: ClassVar[str] = "complete"

    def read(self, body: CompletionsBody) -> TaskRequest:
        fields = {
            "text": body.prompt,
            "max_tokens": DEFAULT_MAX_TOKENS if body.max_tokens is None else body.max_tokens,
            "n": body.n,
            "stop": body.stop,
            "logprobs": body.logprobs is not None,
            "top_logprobs": body.logprobs or None,
        }
        return body.asking(CompleteRequest, fields)

    def write(self, body: CompletionsBody, told: Told, result: Result) -> TextCompletion:
        return TextCompletion(
            id=_id(told),
            created=told.created,
            model=told.model,
            choices=[
                TextChoice(
                    index=index,
                    text=one["text"],
                    logprobs=_logprobs(one.get("logprobs"), 0),
                    finish_reason=one["finish_reason"],
                )
                for index, one in enumerate(result.body["completions"])
            ],
            usage=answers.usage(result),
        )

    def script(self, body: CompletionsBody, told: Told) -> CompletionScript:
        return CompletionScript(told, with_usage=body.with_usage)


class CompletionScript:
    """The pieces of streamed completions; each ends with one that has no text and the reason."""

    def __init__(self, told: Told, *, with_usage: bool) -> None:
        self._chunks = Chunks(_id(told), "text_completion", told, with_usage=with_usage)
        self._said: dict[int, int] = {}
        """Characters of each completion so far."""

    def start(self) -> bytes:
        return b""

    def delta(self, delta: Delta) -> bytes:
        before = self._said.get(delta.choice, 0)
        self._said[delta.choice] = before + len(delta.text)
        return self._chunks.piece(
            delta.choice, {"text": delta.text}, logprobs=_logprobs(delta.logprobs, before)
        )

    def end(self, result: Result) -> bytes:
        last = (
            self._chunks.piece(index, {"text": ""}, finish_reason=one["finish_reason"])
            for index, one in enumerate(result.body["completions"])
        )
        return self._chunks.end(last, result)


def _logprobs(tokens: Iterable[Mapping[str, Any]] | None, offset: int) -> TextLogprobs | None:
    """`offset` is where the first token's text begins in the completion."""
    if tokens is None:
        return None
    entries = list(tokens)
    offsets: list[int] = []
    for one in entries:
        offsets.append(offset)
        offset += len(one["token"])
    tops = [{top["token"]: top["logprob"] for top in one["top"]} for one in entries]
    return TextLogprobs(
        tokens=[one["token"] for one in entries],
        token_logprobs=[one["logprob"] for one in entries],
        top_logprobs=tops if any(tops) else None,
        text_offset=offsets,
    )


def _id(told: Told) -> str:
    return told.id.replace("req_", "cmpl-", 1)
